"""The class of checks, and the verdict on a run that did not get far enough to be judged.

A custom check is any function from `Run` to `Finding`; `Check` is the convenient way to make one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from pytest_mpgrade.judge import causes, timeline
from pytest_mpgrade.judge.attribution import at_import, untried
from pytest_mpgrade.judge.verdict import PASSED as PASSED
from pytest_mpgrade.judge.verdict import Verdict as Verdict
from pytest_mpgrade.judge.verdict import absent as absent
from pytest_mpgrade.judge.verdict import failed as failed
from pytest_mpgrade.judge.verdict import fault as fault
from pytest_mpgrade.judge.verdict import inconclusive as inconclusive
from pytest_mpgrade.judge.verdict import not_here as not_here
from pytest_mpgrade.judge.verdict import undecided as undecided
from pytest_mpgrade.records import Concern, Ending, Finding, Instead, Notebook, Outcome, Run

MAKES_CHECK = "makes_check"
"""The attribute of a function that makes a check of its parameters."""
LACK = "lack"
"""The symptom of an import of something that is not installed or not handed in."""
_PRINTED = 6
"""Lines that the submission has printed, of which a failure shows the last."""
_LONGEST = 200
"""Characters of such a line."""
ENDED = (Ending.RETURNED, Ending.RAISED)
"""How a call ends that came back to its caller."""


class Judge(Protocol):
    """A check: any callable from a Run to a Finding."""

    def __call__(self, run: Run, /) -> Finding:
        """Judge one run."""


_TOGETHER = frozenset((Concern.WORKERS, Concern.CONCURRENCY, Concern.ORDERING))
"""Concerns whose failures show a timeline: they ask which worker did what at which time."""


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
        verdict = before_all(run) or _lacking(run, _at_import(run, self.concern, self.judge(run)))
        if verdict.outcome is Outcome.FAILED:
            verdict = _advised(run, verdict, self.hint)
        return Finding(
            check=self.name,
            title=self.title,
            concern=verdict.concern or self.concern,
            outcome=verdict.outcome,
            message=verdict.message,
            hint=verdict.hint,
            evidence=verdict.evidence | self._timeline(run, verdict) | _printed(run, verdict),
            run=run.key,
            call=run.at,
            function=run.function,
            symptom=verdict.symptom,
            credit=verdict.credit,
            undecided_by=verdict.undecided_by,
            instead=_instead(run, verdict, self.concern),
            seconds=run.seconds,
        )

    def _timeline(self, run: Run, verdict: Verdict) -> dict[str, object]:
        """Return the timeline of the workers, for a failure of a concern in `_TOGETHER`."""
        wanted = (
            verdict.outcome is Outcome.FAILED and (verdict.concern or self.concern) in _TOGETHER
        )
        lines = timeline.timeline_lines(run) if wanted else []
        return {"timeline": lines} if lines else {}


def _printed(run: Run, verdict: Verdict) -> dict[str, object]:
    """Return as evidence of a failure the last lines that the submission has printed."""
    lines = run.printed[-_PRINTED * _LONGEST :].splitlines()[-_PRINTED:]
    if verdict.outcome is not Outcome.FAILED or not any(map(str.strip, lines)):
        return {}
    return {"printed": [line[:_LONGEST] for line in lines]}


def _advised(run: Run, verdict: Verdict, usual: str = "") -> Verdict:
    """Return a failure with the hint that fits this run.

    A pattern of `causes` gives the hint, or else the verdict or *usual*, the hint of the check.
    *usual* says what to do about the question of the check. So it is left out where the call ended
    before that question could be asked.
    """
    cause = causes.cause_of(run, verdict.symptom)
    advice = cause.hint if cause is not None else ""
    if cause is not None and cause.alone:
        return replace(verdict, message=cause.said, hint=cause.hint, evidence=cause.source)
    evidence = verdict.evidence
    if cause is not None and cause.first:
        hint, evidence = advice, evidence | cause.source
    else:
        usual = "" if causes.is_an_ending(verdict.symptom) else usual
        hint = verdict.hint or advice or usual
        evidence = (cause.source if cause else {}) | evidence
    said = cause.said if cause and cause.said not in verdict.message else ""
    message = f"{verdict.message}; {said}" if said else verdict.message
    return replace(verdict, message=message, hint=hint, evidence=evidence)


def lacks(findings: Iterable[Finding]) -> str:
    """Return the message on what the grader lacks for a grade; "" where it lacks nothing."""
    return next(
        (
            each.message
            for each in findings
            if each.outcome is Outcome.ERROR and each.symptom == LACK
        ),
        "",
    )


def judge_safely(check: Judge, run: Run) -> Finding:
    """Judge a run by any callable.

    A custom check is not called with a run from which it can learn nothing. Raises TypeError for
    what is no check.
    """
    if isinstance(check, Check):
        return check(run)
    name = getattr(check, "__name__", type(check).__name__)
    if getattr(check, MAKES_CHECK, False):
        raise TypeError(f"checks.{name} makes a check: call it, checks.{name}(…)")
    if before_all(run) is None:
        found = check(run)
        if not isinstance(found, Finding):
            raise TypeError(f"{name}() returned {type(found).__name__}; a check returns a Finding")
        return found
    return Check(name=name, title=name, concern=Concern.RESULTS, judge=lambda _: PASSED)(run)


def _instead(run: Run, verdict: Verdict, concern: Concern) -> Instead | None:
    """Return what a finding says in the end if no failure explains why it was left undecided."""
    if verdict.otherwise is None:
        return None
    shown = verdict.shown_by or run
    said = _advised(shown, verdict.otherwise)
    return Instead(
        concern=said.concern or concern,
        message=said.message,
        hint=said.hint,
        symptom=said.symptom,
        evidence=said.evidence | _printed(shown, said),
        explained=verdict.explained or said.symptom,
        run=shown.key,
        function=shown.function,
        came_back=shown.ending in ENDED,
    )


def _at_import(run: Run, concern: Concern, verdict: Verdict) -> Verdict:
    """Return that the import is at fault, for a failure under spawn or forkserver.

    Under these start methods every child imports the module. A module that starts processes at
    import then starts them in each child, too.
    """
    everywhere = run.import_children and run.start_method != "fork"
    if verdict.outcome is Outcome.FAILED and everywhere and concern is not Concern.IMPORT:
        return at_import()
    return verdict


def _lacking(run: Run, verdict: Verdict) -> Verdict:
    """Blame a failure on the missing import that it comes from, where there is one."""
    if verdict.outcome is not Outcome.FAILED or run.lack is None:
        return verdict
    known = run.ending is Ending.NOT_IMPORTED
    message = run.lack.message if known else f"{verdict.message}; {run.lack.message}"
    evidence = verdict.evidence | ({"source": run.lack.source} if run.lack.source else {})
    # A notebook that imports a file that was not handed in does not run: that is `notebook`. A
    # package that is missing is a matter of what the assignment allows: that is `import`.
    concern = verdict.concern if isinstance(run, Notebook) and run.lack.unknown else Concern.IMPORT
    return replace(
        verdict,
        message=message,
        hint=run.lack.hint,
        evidence=evidence,
        symptom=LACK,
        concern=concern,
    )


def before_all(run: Run) -> Verdict | None:
    """Return the verdict of every check on a run that shows nothing; None where it does."""
    if run.ending is Ending.BROKEN:
        return Verdict(
            outcome=Outcome.ERROR, message=f"the grader could not run {run.at}: {run.why}"
        )
    if run.lack is not None and run.lack.ours:
        return Verdict(outcome=Outcome.ERROR, message=run.lack.message, symptom=LACK)
    if run.ending is Ending.NOT_TRIED and run.in_caller:
        return absent(
            f"not tried: {run.why}, for a task had ended it that ran in the calling process"
        )
    if run.ending is Ending.NOT_IMPORTED and run.function != "import":
        return undecided("the module could not be imported", "imports_cleanly", _NO_MODULE)
    if _too_busy(run) or (run.cause is not None and _too_busy(run.cause)):
        return inconclusive(
            "the time limit came, but this machine was too busy for the grader's own processes too"
        )
    return untried(run)


_NO_MODULE = fault(Concern.IMPORT, "the module could not be imported", symptom="import")


def _too_busy(run: Run) -> bool:
    return run.ending is Ending.TIMED_OUT and run.control is False and not run.theirs
