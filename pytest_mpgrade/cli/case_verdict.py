"""Compare the result of grading a known solution with the verdict that it must have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_mpgrade.cli.verify_cases import Case
from pytest_mpgrade.records import Concern, Outcome, Status
from pytest_mpgrade.report.result_json import CheckPart, ResultFile

_UNSURE = frozenset((Outcome.ERROR, Outcome.INCONCLUSIVE, Outcome.NOT_RUN))


@dataclass(frozen=True, kw_only=True)
class CaseVerdict:
    """The verdict of one grading of a case; a line of the journal."""

    case: str
    round: int
    load: int
    failed: tuple[str, ...]  # concerns
    checks: tuple[str, ...]  # names of the checks that failed
    made: tuple[str, ...]  # names of all checks, for right solutions only
    wrong: str  # why the verdict is wrong; "" if it is right
    seconds: float
    score: float = 0.0
    max_score: float = 0.0
    graded: bool = True  # there is a grade, also where that is for what could not be imported
    fix_first: str = ""  # the first cause that students read, after its concern


def judge_case(case: Case, result: ResultFile, round: int, load: int) -> CaseVerdict:
    """Compare one result with the verdict that the case must have."""
    failed = [check for check in result.checks if check.outcome is Outcome.FAILED]
    concerns = tuple(sorted({str(check.concern) for check in failed}))
    return CaseVerdict(
        case=case.name,
        round=round,
        load=load,
        failed=concerns,
        checks=_names(failed),
        made=() if case.concerns else _names(result.checks),
        wrong=_wrong(case, result, concerns, load),
        seconds=result.seconds,
        score=result.score,
        max_score=result.max_score,
        graded=result.status is not Status.ERROR,
        fix_first=_fix_first(result),
    )


def _names(checks: Sequence[CheckPart]) -> tuple[str, ...]:
    return tuple(sorted({check.id.rpartition("/")[2] for check in checks}))


def _wrong(case: Case, result: ResultFile, concerns: tuple[str, ...], load: int) -> str:
    """Return why a verdict is wrong, or "" if it is right."""
    undecided = {
        str(check.concern) for check in result.checks if check.outcome is Outcome.INCONCLUSIVE
    }
    return (
        _no_grade(case, result)
        or _unsure(result, load)
        or _other_concerns(case, result, concerns, undecided)
        or _other_points(case, result, undecided)
        or _other_cause(case, result, undecided)
    )


def _no_grade(case: Case, result: ResultFile) -> str:
    if result.status is Status.ERROR or (
        result.status is Status.UNGRADABLE and "import" not in case.concerns
    ):
        return f"status {result.status}: {result.reason}"
    return ""


def _unsure(result: ResultFile, load: int) -> str:
    for check in result.checks:
        if check.outcome in _UNSURE and not _excused(check, load):
            return f"{check.outcome}: {check.id}: {check.message}"
    return ""


def _other_concerns(
    case: Case, result: ResultFile, concerns: tuple[str, ...], undecided: set[str]
) -> str:
    if set(concerns) == set(case.concerns) - undecided:
        return ""
    unexpected = [
        f"{check.id}: {check.message}"
        for check in result.checks
        if check.outcome is Outcome.FAILED and str(check.concern) not in case.concerns
    ]
    said, known = (", ".join(names) or "nothing" for names in (concerns, case.concerns))
    return f"failed {said}, expected {known}. {(unexpected or [''])[0]}"


def _other_points(case: Case, result: ResultFile, undecided: set[str]) -> str:
    if not case.concerns and result.score != result.max_score:
        short = [
            check
            for check in result.checks
            if check.criterion and check.outcome is not Outcome.PASSED
        ]
        first = f"{short[0].id} {short[0].outcome}: {short[0].message}" if short else ""
        return f"{result.score} of {result.max_score} points: {first}"
    lost = result.max_score - result.score
    if lost < case.loses - 1e-9 and not undecided:
        return (
            f"loses {lost:.2f} points of {result.max_score:g}, and should lose {case.loses:g} at"
            " least"
        )
    return ""


def _other_cause(case: Case, result: ResultFile, undecided: set[str]) -> str:
    """Return that students are told to fix something else first than what the case is about."""
    if not case.concerns or undecided.intersection(case.concerns):
        return ""
    if result.causes and result.causes[0].concern == case.concerns[0]:
        return ""
    return f"what to fix first is {_fix_first(result) or 'not said'}, expected {case.concerns[0]}"


def _fix_first(result: ResultFile) -> str:
    return next((f"{cause.concern}: {cause.change}" for cause in result.causes), "")


def _excused(check: CheckPart, load: int) -> bool:
    """Tell whether a timing could not decide because of busy loops, which is no fault."""
    return bool(load) and check.outcome is Outcome.INCONCLUSIVE and check.concern is Concern.SPEEDUP
