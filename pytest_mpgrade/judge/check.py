"""What a check is, and what it answers where a run did not get far enough to be judged.

A custom check is any function from `Run` to `Finding`; `Check` is the convenient way to make one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from pytest_mpgrade.judge import timeline
from pytest_mpgrade.records import Concern, Ending, Finding, Outcome, Run

ENDED = (Ending.RETURNED, Ending.RAISED)


class Judge(Protocol):
    """A check: any callable from a Run to a Finding."""

    def __call__(self, run: Run, /) -> Finding:
        """Judge one run."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a check says of a run."""

    outcome: Outcome
    message: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    symptom: str = ""
    undecided_by: str = ""
    hint: str = ""
    credit: float = 0.0  # FAILED: the part of the points that is earned all the same
    concern: Concern | None = None  # another than the check's, where what was seen is a matter of that


PASSED = Verdict(outcome=Outcome.PASSED)


def failed(message: str, *, symptom: str = "", hint: str = "", **evidence: Any) -> Verdict:
    """The submission is at fault."""
    return Verdict(outcome=Outcome.FAILED, message=message, symptom=symptom, hint=hint, evidence=evidence)


def absent(message: str) -> Verdict:
    """The submission did nothing that could be judged."""
    return Verdict(outcome=Outcome.ABSENT, message=message)


def undecided(message: str, by: str) -> Verdict:
    """The failure of another check, named *by*, leaves this one undecided."""
    return Verdict(outcome=Outcome.SKIPPED, message=message, undecided_by=by)


def not_here(message: str) -> Verdict:
    """This platform, start method or observer cannot show it."""
    return Verdict(outcome=Outcome.SKIPPED, message=message)


def inconclusive(message: str) -> Verdict:
    """This machine could not decide."""
    return Verdict(outcome=Outcome.INCONCLUSIVE, message=message)


_TOGETHER = frozenset((Concern.WORKERS, Concern.CONCURRENCY, Concern.ORDERING))


@dataclass(frozen=True, kw_only=True)
class Check:
    """A check with its name, its concern, and what it tells a student to do."""

    name: str
    title: str
    concern: Concern
    judge: Callable[[Run], Verdict]
    hint: str = ""

    def __call__(self, run: Run, /) -> Finding:
        """Judge one run."""
        verdict = _before_all(run) or _at_import(run, self.concern, self.judge(run))
        return Finding(
            check=self.name,
            title=self.title,
            concern=verdict.concern or self.concern,
            outcome=verdict.outcome,
            message=verdict.message,
            hint=(verdict.hint or self.hint) if verdict.outcome is Outcome.FAILED else "",
            evidence=verdict.evidence | self._timeline(run, verdict),
            run=run.key,
            call=run.at,
            symptom=verdict.symptom,
            credit=verdict.credit,
            undecided_by=verdict.undecided_by,
            seconds=run.seconds,
        )

    def _timeline(self, run: Run, verdict: Verdict) -> dict[str, Any]:
        """Return who did what when, where that is what a failure is about."""
        wanted = verdict.outcome is Outcome.FAILED and (verdict.concern or self.concern) in _TOGETHER
        found = timeline.lines(run) if wanted else []
        return {"timeline": found} if found else {}


def judge_safely(check: Judge, run: Run) -> Finding:
    """Judge a run by any callable; a custom one is not asked about a run that teaches nothing."""
    if isinstance(check, Check):
        return check(run)
    if _before_all(run) is None:
        return check(run)
    name = getattr(check, "__name__", type(check).__name__)
    return Check(name=name, title=name, concern=Concern.RESULTS, judge=lambda _: PASSED)(run)


def _at_import(run: Run, concern: Concern, verdict: Verdict) -> Verdict:
    """A module that starts processes when it is imported does so in every child that imports it, and breaks that."""
    everywhere = run.import_children and run.start_method != "fork"
    if verdict.outcome is Outcome.FAILED and everywhere and concern is not Concern.IMPORT:
        return undecided("left undecided: the module starts processes when it is imported", "imports_cleanly")
    return verdict


def _before_all(run: Run) -> Verdict | None:
    """Return what every check answers for a run that teaches nothing."""
    if run.ending is Ending.BROKEN:
        return Verdict(outcome=Outcome.ERROR, message=f"the grader could not run {run.at}: {run.why}")
    if run.ending is Ending.NOT_TRIED and run.in_caller:
        return absent(f"not tried: {run.why}, for a task had ended it that ran in the calling process")
    if run.ending is Ending.NOT_TRIED:
        return undecided(f"not tried: {run.why}", run.because or "an earlier step")
    if run.ending is Ending.NOT_IMPORTED and run.function != "import":
        return undecided("not tried: the module could not be imported", "imports_cleanly")
    if run.ending is Ending.TIMED_OUT and run.control is False:
        return inconclusive("the time limit came, but this machine was too busy for the grader's own processes too")
    return None
