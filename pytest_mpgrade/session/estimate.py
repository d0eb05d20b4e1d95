"""How long the questions ahead may take, from what is known before anything has run.

The sum of CPU time and of waiting that a right solution needs is estimated for each unit, which is
a question under one start method and for one variant. Processes are started in several runs at a
time, so CPU time is shared by the cores that may be used, and waiting is not. `STARTS`, `WAITS` and
the others are what the reference solutions of the shipped assignments needed for each unit, with
Python 3.11 on a machine of two cores. A call that hangs is watched for long: a submission with
hangs takes several times as long, one that raises at once a fraction, and a busy machine more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from pytest_mpgrade.session.items import asked, is_question
from pytest_mpgrade.system.quotas import cores
from pytest_mpgrade.system.text import counted

BEGIN = 2.0
"""Seconds until the first call is made: pytest, the isolation, the servers of supervisors."""
CPU = {"fork": 0.08, "spawn": 0.2, "forkserver": 0.2}
"""CPU seconds of a unit. Under spawn each worker is an interpreter of its own."""
WAITS = 0.03
"""Seconds in which a unit only waits: for late tasks, and for proof that nothing moves."""
TIMED = 6.0
"""Seconds of a unit that is timed against the reference, alone: of 8 s at most, where it is clear
early.
"""
EXPLORED = 5.0
"""Seconds of a unit that explores schedules, of those that its assignment allows."""
EXECUTED = 4.0
"""CPU seconds for a notebook to be executed under one start method."""


@dataclass(frozen=True, kw_only=True)
class Ahead:
    """What is ahead of whoever waits for a grading."""

    questions: int
    seconds: float

    @property
    def words(self) -> str:
        """It as one line, with a time as rough as it is."""
        return ahead_words(self.questions, self.seconds)


def ahead_words(questions: int, seconds: float) -> str:
    """Return ``30 questions, about 25 s; longer where calls hang or the machine is busy``."""
    step = 5 if seconds < 60 else 30
    rough = max(step, step * round(seconds / step))
    about = f"{counted(questions, 'question')}, about {rough} s"
    return f"{about}; longer where calls hang or the machine is busy"


def ahead(items: Sequence[pytest.Item]) -> Ahead:
    """Return how many questions these tests ask, and the seconds that they may take."""
    units = [item for item in items if is_question(item)]
    found = [asked(item) for item in units]
    return Ahead(
        questions=len({each.question for each in found}),
        seconds=_seconds(units, [each.start_method for each in found]),
    )


def _seconds(units: Sequence[pytest.Item], methods: Sequence[str]) -> float:
    of_notebook = {
        method
        for item, method in zip(units, methods, strict=True)
        if "notebook" in getattr(item, "fixturenames", ())
    }
    calls = [
        (item, method)
        for item, method in zip(units, methods, strict=True)
        if "notebook" not in getattr(item, "fixturenames", ())
    ]
    timed = sum(_times(item) for item, _ in calls)
    cpu = EXECUTED * len(of_notebook) + sum(CPU.get(method, CPU["fork"]) for _, method in calls)
    explored = sum(bool(_names(item) & {"explore", "_explore"}) for item, _ in calls)
    waits = WAITS * len(calls) + TIMED * timed + EXPLORED * explored
    return BEGIN + cpu / max(1.0, cores()) + waits


def _times(item: pytest.Item) -> bool:
    """Tell whether a test calls `student.time` or `student.scale`, by the names in its code."""
    return bool(_names(item) & {"time", "scale"})


def _names(item: pytest.Item) -> frozenset[str]:
    code = getattr(getattr(item, "function", None), "__code__", None)
    return frozenset(code.co_names if code is not None else ())
