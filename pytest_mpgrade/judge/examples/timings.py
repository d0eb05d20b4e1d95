"""Examples for the checks of timings: written down by hand, with times of real runs. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pytest_mpgrade.judge import checks
from pytest_mpgrade.judge.check import Check
from pytest_mpgrade.judge.examples.runs import CREW, made
from pytest_mpgrade.records import (
    Doing,
    GateEvent,
    GateReport,
    Look,
    Machine,
    Pair,
    Role,
    Run,
    Scaling,
    Timing,
    as_kind,
)

__all__ = ["TIMINGS", "pair", "scaled"]

_RUN = made(
    "mp_apply(12 tasks that only wait, n_processes=2)",
    events=tuple(
        GateEvent(kind="gate" if i < 2 else "note", key=str(i), pid=CREW[i % 2], at=0.02)
        for i in range(12)
    ),
    gates=GateReport(
        script="start",
        wanted=2,
        met=True,
        most_inside=2,
        crew=CREW[:2],
        there=0.012,
        opened=0.053,
        spent=0.253,
        computed=0.006,
    ),
)
_HERE = Machine(cores=2, load=0.4)


def pair(
    waiting: float = 1.0, computing: float | None = 1.0, *, late: float = 0.0, wall: float = 1.0
) -> Pair:
    """Return a pair in which the submission took these multiples of the reference's time."""
    return Pair(
        waiting=(waiting * 0.0204, 0.0204),
        computing=None if computing is None else (computing * 0.0163, 0.0163),
        starting=(0.013 + late, 0.013),
        working=(waiting * 0.163, 0.163),
        ending=(0.012, 0.011),
        wall=(wall * 0.101, 0.101),
        serial=0.197,
    )


def timing_of(*pairs: Pair, **more: Any) -> Timing:
    """Return a timing with these pairs; *more* has other fields of it."""
    return replace(as_kind(Timing, replace(_RUN, seconds=5.6), pairs=pairs, machine=_HERE), **more)


def scaled(**times: tuple[float, ...]) -> Scaling:
    """Return a series of times in seconds, one for each round, by the number of processes.

    The numbers of processes are the keywords: ``n1=(0.32, 0.33), n2=…``.
    """
    return as_kind(
        Scaling, _RUN, times={int(name[1:]): each for name, each in times.items()}, machine=_HERE
    )


_NAPS = Look(
    role=Role.PARENT,
    doing=Doing.SLEEP,
    file="cv_funcs.py",
    line=41,
    code="time.sleep(0.1)",
    times=31,
    of=40,
)
_SLOW = timing_of(*(pair(wall=1.9 + noise) for noise in (0.0, 0.02, -0.02, 0.01, 0.0)))

TIMINGS: tuple[tuple[Check, Run, Run], ...] = (
    (
        checks.keeps_up_with_reference(),
        timing_of(*(pair(1 + noise, 1 - noise) for noise in (0.01, -0.01, 0.02, 0.0))),
        replace(
            timing_of(*(pair(3.9 + noise) for noise in (0.1, -0.1, 0.0, 0.05, 0.0))),
            trace=replace(_RUN.trace, looks=(_NAPS,)),
        ),
    ),
    (checks.faster_than_serial(), timing_of(pair(), pair(), pair(), pair()), _SLOW),
    (
        checks.scales(0.2),
        scaled(n1=(0.323, 0.324, 0.322), n2=(0.164, 0.163, 0.166), n4=(0.085, 0.084, 0.086)),
        scaled(n1=(0.323, 0.324, 0.322), n2=(0.283, 0.280, 0.282), n4=(0.262, 0.264, 0.263)),
    ),
)
"""For each check a run that passes it, and one that fails it."""
