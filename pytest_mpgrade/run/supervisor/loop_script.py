"""The gate script of an awaited call: tasks are held while the grader asks whether the loop turns.

A loop that is blocked until one of its tasks is done can never turn while that task is held. The
tree then is quiescent, which proves the deadlock, and no clock is needed.
"""

from __future__ import annotations

import math
import time
from functools import partial

from pytest_mpgrade.records import GateReport, GateStep, HeldTasks
from pytest_mpgrade.run.observe.core_time import core_seconds
from pytest_mpgrade.run.observe.gate_book import Gates
from pytest_mpgrade.run.observe.watch import Watch

QUESTIONS = 3
"""Times that a loop is asked. It may wait in a blocking call, with a time-out, each time that it
has turned; then the least of its waits counts.
"""
SETTLE_SECONDS = 1.0
"""Seconds for the tree to fall asleep before a question, at most. A coroutine may only be on its
way to a blocking call before; one that polls without a pause never sleeps.
"""
LATE_SECONDS = 10.0
"""Seconds for a call to come back whose tasks are let go at the time limit."""


def hold_tasks(watch: Watch, script: HeldTasks) -> GateReport:
    """Play the script until its gates are open."""
    gates = watch.gates
    gates.keep_shut = lambda _: True
    how = watch.until(lambda: len(gates.inside) >= script.n)
    rule = watch.rule if how == "quiet" else ""
    watch.settle(SETTLE_SECONDS)
    inside = len(gates.inside)
    turns: list[float] = []
    while how in ("yes", "quiet") and inside and gates.loop.listens and len(turns) < QUESTIONS:
        slept = _slept_before_turning(watch)
        if math.isinf(slept):
            break
        turns.append(slept)
    blocked = how in ("yes", "quiet") and bool(inside) and gates.loop.listens and not turns
    early = (watch.back or gates.loop.over) and bool(gates.inside)
    if script.cancel and turns:
        gates.loop.cancel()
        watch.until(lambda: not gates.loop.listens)
    steps: tuple[GateStep, ...] = ()
    if how == "yes" and not blocked and not watch.back:
        steps = _let_through(watch, script.total)
    if blocked or how == "late":  # we have held them all that time
        watch.deadline.at += LATE_SECONDS
    inside = max(inside, len(gates.inside))
    gates.open_all()
    return GateReport(
        script="loop",
        wanted=script.n,
        met=how == "yes",
        most_inside=inside,
        steps=steps,
        early=early,
        blocked=blocked,
        quiet=rule,
        turns=tuple(turns),
    )


def _let_through(watch: Watch, total: int) -> tuple[GateStep, ...]:
    """Open one gate after the other; return each step, up to the first that nobody answers.

    Each time another of *total* tasks has to come, until all have. In the end wait until the tree
    has settled: one too many shows then.
    """
    steps: list[GateStep] = []
    gates = watch.gates
    while len(gates.arrivals()) < total and gates.inside and not watch.back:
        before, key = len(gates.arrivals()), next(reversed(gates.inside))
        pid = gates.open(key)
        how = watch.until(partial(_more_arrived, gates, before))
        came = gates.arrivals()[before].key if how == "yes" else None
        steps.append(GateStep(opened=key, opened_pid=pid, expected="", arrived=came))
        if came is None:
            break
    if steps:
        watch.settle(SETTLE_SECONDS)
    return tuple(steps)


def _more_arrived(gates: Gates, before: int) -> bool:
    return len(gates.arrivals()) > before


def _slept_before_turning(watch: Watch) -> float:
    """Ask the loop whether it turns; return the seconds for which it slept before, or inf.

    What the run computed meanwhile, or wanted to, is no sleep.
    """
    watch.settle(SETTLE_SECONDS)
    before, computed, began = watch.gates.loop.turns, core_seconds(watch), time.monotonic()
    watch.gates.loop.ask()
    how = watch.until(lambda: watch.gates.loop.turns > before or not watch.gates.loop.listens)
    if how != "yes" or not watch.gates.loop.listens:
        return math.inf
    return round(max(0.0, time.monotonic() - began - (core_seconds(watch) - computed)), 4)
