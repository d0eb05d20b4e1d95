"""Examples for the checks of a coroutine function that runs a task. Pure."""

from __future__ import annotations

from typing import Any

from pytest_mpgrade import tasks
from pytest_mpgrade.judge import checks
from pytest_mpgrade.judge.check import Check
from pytest_mpgrade.judge.examples.runs import CALLER, changed, child, made, raising
from pytest_mpgrade.records import Doing, GateEvent, GateReport, Look, Role, Run

HELD = tasks.held(4)
"""Tasks that are awaited together."""


def awaited(**seen: object) -> Run:
    """Return a run of the plainest call, whose task ran in a thread of the calling process."""
    note = GateEvent(kind="note", key="7**3", pid=CALLER, at=0.0031)
    plain = made("await async_task(a task)", encoded=["int", "343"], events=(note,))
    return changed(plain, function="async_task", **seen)


def held(count: int = 1, inside: int = 1, *, turns: int = 3, **seen: Any) -> Run:
    """Return a run in which so many of *count* tasks were held at the same time."""
    gates = GateReport(
        script="loop",
        wanted=count,
        met=inside >= count,
        most_inside=inside,
        blocked=not turns,
        turns=(0.0003, 0.0002, 0.0002)[:turns],
    )
    events = tuple(
        GateEvent(kind="gate", key=key, pid=CALLER, at=0.004 + place / 1000)
        for place, key in enumerate(HELD.keys[:count])
    )
    return awaited(**{"gates": gates, "events": events, **seen})


_LOOKS = (
    Look(
        role=Role.PARENT,
        doing=Doing.SLEEP,
        file="submissions/ada/cv_funcs.py",
        line=31,
        code="time.sleep(0.02)",
        times=9,
        of=9,
    ),
)
_CANCELLED = raising(held(), "CancelledError", "")

AWAITING: tuple[tuple[Check, Run, Run], ...] = (
    (
        checks.is_coroutine_function("async_task"),
        awaited(call="async_task(a task), not awaited", encoded=["str", "coroutine"], events=()),
        awaited(call="async_task(a task), not awaited", encoded=["str", "int"]),
    ),
    (checks.awaits_value(343), awaited(), awaited(encoded=["none"])),
    (checks.keeps_loop_free(), held(), held(turns=0, looks=_LOOKS)),
    (checks.run_together(), held(4, 4), held(4, 1)),
    (
        checks.exception_comes_through("ValueError", "kaputt 4715"),
        raising(awaited(), "ValueError", "kaputt 4715"),
        raising(awaited(), "RuntimeError", "task failed: kaputt 4715"),
    ),
    (
        checks.leaves_nothing(cancelled=True),
        _CANCELLED,
        changed(_CANCELLED, processes=(child(at_return="alive", later="zombie"),)),
    ),
)
