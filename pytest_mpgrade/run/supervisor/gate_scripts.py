"""The grader's end of the gates: scripts that decide when each held task goes on.

A script plays while a call runs, ends when the call has come back, and reports what it saw.
docs/gates.md, measured, has the errors of simpler rules. The rules of `line` are:

- No gate is opened before n processes are inside, or the tree is quiescent. Then all of the tree
  must be asleep: a worker too many shows only then.
- The first n tasks are judged as a set; the order among them means nothing.
- Exactly one gate is opened at a time. Never the first task's, which stays shut until all others
  have arrived; never the smallest first, which is the order that round robin wants.
- After any verdict all gates are opened, so that shutdown can be judged on wrong solutions, too.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from dataclasses import replace

from pytest_mpgrade.records import (
    Drained,
    GateReport,
    GateStep,
    HeldPoints,
    HeldTask,
    HeldTasks,
    KeptGates,
    OpenGates,
    QuiescenceRule,
    Rendezvous,
    Script,
    ShutGates,
    TimedStart,
    WaitEnd,
)
from pytest_mpgrade.run.explain.stacks import Stacks
from pytest_mpgrade.run.observe.watch import Watch
from pytest_mpgrade.run.supervisor import held_points
from pytest_mpgrade.run.supervisor.draining import drain
from pytest_mpgrade.run.supervisor.loop_script import hold_tasks
from pytest_mpgrade.system.linux import procfs

SETTLE_SECONDS = 5.0
"""Seconds for the tree to fall asleep, at most. Until it sleeps, a worker too many may still be on
its way to a gate (docs/gates.md, line).
"""
EXIT_SECONDS = 1.0
"""Seconds that workers are kept at their exit gates, at most: a caller may give up on
join(timeout=…).
"""

POLLED_SECONDS = 1.0
"""CPU seconds. A caller that has not come back, and has used so many, polls; with fewer it may have
been starved.
"""
LATE_SECONDS = 10.0
"""Seconds for a caller to come back, when its task is let go at the time limit."""


def play(
    watch: Watch, script: Script, patience: float, stacks: Stacks
) -> tuple[WaitEnd, GateReport]:
    """Play a script until the call is back, dead, late or quiescent; return that, and a report.

    *patience* is the window of *steady*, in seconds. *stacks* tell who is a manager's server.
    """
    watch.gates.exit_gates, watch.gates.hold_exits = script.exit_gates, False
    report = _played(watch, script, stacks)
    how, at_exit = _finish(watch, patience)
    if isinstance(script, TimedStart):
        report = _timed(watch, report)
    return how, replace(report, at_exit=at_exit)


def _played(watch: Watch, script: Script, stacks: Stacks) -> GateReport:
    if isinstance(script, OpenGates):
        return _open(watch)
    if isinstance(script, ShutGates):
        return _shut(watch)
    if isinstance(script, KeptGates):
        return replace(_shut(watch), script="keep", early=False)
    if isinstance(script, HeldTask):
        return _hold(watch, script)
    if isinstance(script, HeldPoints):
        return held_points.play_schedule(watch, script)
    if isinstance(script, Drained):
        return drain(watch, script.n, stacks)
    if isinstance(script, HeldTasks):
        return hold_tasks(watch, script)
    return _line(watch, script) if isinstance(script, Rendezvous) else _start(watch, script)


def _finish(watch: Watch, patience: float) -> tuple[WaitEnd, tuple[int, ...]]:
    """Wait for the call to come back; keep workers at their exit gates until the tree has settled.

    They are kept only now, since a caller may wait for the end of one worker before it starts the
    next.
    """
    watch.gates.hold_exits = watch.gates.exit_gates
    while True:
        how = watch.until(lambda: bool(watch.gates.leaving), patience)
        if how != "yes":
            return how, tuple(sorted(watch.gates.leaving.values()))
        watch.settle(EXIT_SECONDS, time.monotonic)
        if watch.back:
            return "back", tuple(sorted(watch.gates.leaving.values()))
        watch.gates.open_exits()


def _rule(watch: Watch, how: WaitEnd) -> QuiescenceRule:
    """Return the rule by which the tree was quiescent when a wait ended; "" where it was not."""
    return watch.rule if how == "quiet" else ""


def _open(watch: Watch) -> GateReport:
    """Keep every gate open."""
    watch.gates.open_all()
    return GateReport(script="open")


def _shut(watch: Watch) -> GateReport:
    """Keep every gate shut: does the call come back all the same, or does it wait?

    If it waits, the gates are opened.
    """
    watch.gates.keep_shut = lambda _: True
    how = watch.until_back()
    if how == "back":
        return GateReport(script="shut", early=True)
    held = how == "late" and bool(watch.gates.insiders())
    polled = held and _polled(watch)
    report = GateReport(script="shut", blocked=how == "quiet" or polled, quiet=_rule(watch, how))
    if held:  # we have held it all that time, so the caller gets time to come back
        watch.deadline.at += LATE_SECONDS
    watch.gates.open_all()
    return report


def _polled(watch: Watch) -> bool:
    """Tell whether the caller has polled until the limit, while its task was held.

    It had enough core time to find that the task is held.
    """
    return procfs.cpu(watch.caller) >= POLLED_SECONDS


def _hold(watch: Watch, script: HeldTask) -> GateReport:
    """Hold one task until all others have gone through, and for some seconds more."""
    kept, others = script.keys[0], set(script.keys[1:])
    watch.gates.keep_shut = lambda key: key == kept
    how = watch.until(
        lambda: (
            others <= {event.key for event in watch.gates.arrivals()} and kept in watch.gates.inside
        )
    )
    end = time.monotonic() + script.seconds
    watch.deadline.at += script.seconds
    # The tree may be quiescent, since everybody waits for us.
    while how in ("yes", "quiet") and time.monotonic() < end:
        how = watch.until(lambda: time.monotonic() >= end, math.inf)
    report = GateReport(
        script="hold",
        early=how == "back" and kept in watch.gates.inside,
        met=how in ("yes", "quiet"),
    )
    watch.gates.open_all()
    return report


def _line(watch: Watch, script: Rendezvous) -> GateReport:
    """Play the rendezvous; see the module's docstring."""
    n, keys = script.n, script.keys
    watch.gates.keep_shut = lambda _: True
    how = watch.until(lambda: len(watch.gates.insiders()) >= n)
    watch.settle(SETTLE_SECONDS)
    inside = [held.pid for held in watch.gates.inside.values()]
    report = GateReport(
        script="line",
        wanted=n,
        met=len(set(inside)) >= n,
        most_inside=len(set(inside)),
        alive_then=len(watch.workers_alive()),
        crew=tuple(sorted(set(inside))),
        first=tuple(sorted(watch.gates.inside, key=_position(keys))),
        quiet=_rule(watch, how),
    )
    if how == "yes" and not watch.back:
        report = _step_through(watch, report, keys, random.Random(script.seed))  # noqa: S311 - a schedule, no secret
    # The call is early if it is back before the rendezvous, or while a gate is shut. It is not
    # early when all tasks that could be held have been let go.
    report = replace(report, early=watch.back and (not report.met or bool(watch.gates.inside)))
    watch.gates.open_all()
    return report


def _start(watch: Watch, script: TimedStart) -> GateReport:
    """Start the clock of a timed call, *delay* seconds after n processes stand at gates."""
    watch.gates.keep_shut = lambda _: True
    how = watch.until(lambda: len(watch.gates.insiders()) >= script.n)
    there = time.monotonic() - watch.began
    end = time.monotonic() + script.delay
    while how == "yes" and time.monotonic() < end and not watch.back:
        watch.pump(min(0.02, max(0.0, end - time.monotonic())))
    inside = watch.gates.insiders()
    report = GateReport(
        script="start",
        wanted=script.n,
        met=how == "yes",
        most_inside=len(inside),
        crew=tuple(sorted(inside)),
        quiet=_rule(watch, how),
        there=there,
        computed=watch.computed(),
        opened=time.monotonic() - watch.began,
    )
    watch.gates.open_all()
    return report


def _timed(watch: Watch, report: GateReport) -> GateReport:
    """Return the report of `_start`, with what the call took from then on."""
    spent = time.monotonic() - watch.began - report.opened
    before, now = report.computed, watch.computed()
    return replace(
        report, spent=spent, computed=None if before is None or now is None else now - before
    )


def _position(keys: tuple[str, ...]) -> Callable[[str], int]:
    places = {key: place for place, key in enumerate(keys)}
    return lambda key: places.get(key, len(places))


def _step_through(
    watch: Watch, report: GateReport, keys: tuple[str, ...], draw: random.Random
) -> GateReport:
    """Open one gate after the other and note who arrives; stop at a step at which nobody does."""
    steps: list[GateStep] = []
    position = _position(keys)
    while waiting := _waiting(watch, keys):
        held = sorted((key for key in watch.gates.inside if key != keys[0]), key=position)
        if not held:
            return replace(report, steps=tuple(steps), waiting=waiting)
        pick = held[-1] if draw.random() < 0.5 else draw.choice(held)
        before = len(watch.gates.arrivals())
        by = watch.gates.open(pick)
        how = watch.until(_beyond(watch, before))
        if how != "yes":
            steps.append(GateStep(opened=pick, opened_pid=by, expected=waiting[0], arrived=None))
            return replace(report, steps=tuple(steps), waiting=waiting, quiet=_rule(watch, how))
        came = watch.gates.arrivals()[before]
        steps.append(
            GateStep(
                opened=pick,
                opened_pid=by,
                expected=waiting[0],
                arrived=came.key,
                arrived_pid=came.pid,
            )
        )
    for key in [key for key in watch.gates.inside if key != keys[0]]:
        watch.gates.open(key)
    watch.settle(SETTLE_SECONDS)
    return replace(report, steps=tuple(steps))


def _beyond(watch: Watch, count: int) -> Callable[[], bool]:
    """Return a condition that is true once more than *count* tasks have come."""
    return lambda: len(watch.gates.arrivals()) > count


def _waiting(watch: Watch, keys: tuple[str, ...]) -> tuple[str, ...]:
    started = {event.key for event in watch.gates.arrivals()}
    return tuple(key for key in keys if key not in started)
