"""The timelines of a grading: of runs that checks have failed, and of those to compare them with.

A run is known in the process that made it only, so each test brings the timelines that may be
wanted. Which of them are is known when all tests have run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_mpgrade.judge.points.shares import Placed
from pytest_mpgrade.judge.run_timeline import run_timeline
from pytest_mpgrade.judge.turn_timeline import turn_timeline
from pytest_mpgrade.records import (
    Ending,
    Exploration,
    Finding,
    Outcome,
    Run,
    Scaling,
    Timeline,
    Timing,
)
from pytest_mpgrade.student.calls import Student
from pytest_mpgrade.student.notebook import StudentNotebook

MOST = 60
"""Timelines of one result. One is a few kilobytes, and the first failures say most."""
_BEFORE = (Ending.BROKEN, Ending.NOT_IMPORTED, Ending.NOT_TRIED)
"""Endings of what was never called."""


def timelines_of(
    graded: Student | StudentNotebook | None, findings: Sequence[Finding], *, alone: bool
) -> dict[str, Timeline]:
    """Return the timelines that the findings of a test may need, by the keys of their runs.

    *alone*: the test is not asked under another start method, so that a run which passes is
    compared with nothing.
    """
    if graded is None:
        return {}
    runs = dict(graded.judged)
    if isinstance(graded, Student):
        runs |= {run.key: run for run in graded.relied_on}
    wanted = dict.fromkeys(
        key for each in findings for key in _keys(each, passed=not alone) if key in runs
    )
    return {key: _timeline(runs[key]) for key in wanted if _has_processes(runs[key])}


def _timeline(run: Run) -> Timeline:
    if isinstance(run, Exploration) and run.broken is not None:
        return turn_timeline(run, run.broken)
    return run_timeline(run)


def _keys(finding: Finding, *, passed: bool) -> tuple[str, ...]:
    """Return the keys of the runs that a finding is about, or may be in the end."""
    if finding.outcome is Outcome.PASSED and not passed:
        return ()
    return (finding.run, *((finding.instead.run,) if finding.instead else ()))


def _has_processes(run: Run) -> bool:
    """Tell whether a run has more to show than the caller, or did not come back.

    A timing is about other calls than the one of its run; the schedule of an exploration that broke
    a call always has threads to show.
    """
    if isinstance(run, (Timing, Scaling)):
        return False
    if isinstance(run, Exploration) and run.broken is not None:
        return True
    if run.ending in _BEFORE:
        return False
    came_back = run.ending in (Ending.RETURNED, Ending.RAISED)
    return not came_back or any(not each.helper for each in run.trace.processes)


def named(placed: Sequence[Placed], timelines: Mapping[str, Timeline]) -> dict[str, Timeline]:
    """Return the timelines of failed checks, with those of the same check that did not fail.

    The same check is that of the same question and variant, or of the same call, under another
    start method.
    """
    same: dict[tuple[str, ...], list[str]] = {}
    for one in placed:
        for place in _places(one):
            same.setdefault(place, []).append(one.finding.run)
    failed = [one for one in placed if one.finding.outcome is Outcome.FAILED]
    keys = [
        *(one.finding.run for one in failed),
        *(key for one in failed for place in _places(one) for key in same[place]),
    ]
    known = [key for key in dict.fromkeys(keys) if key in timelines]
    return {key: timelines[key] for key in known[:MOST]}


def _places(one: Placed) -> tuple[tuple[str, ...], ...]:
    """Return by what a check is known as the same under another start method."""
    check = one.finding.check
    call = one.finding.call.rpartition(" under ")[0]
    return (one.asked.question, one.asked.variant, check), (call, check)
