"""Choose the submissions of an earlier batch that are graded again, by what their results say."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pytest_mpgrade.errors import Mistakes, UsageError
from pytest_mpgrade.records import Concern, Outcome
from pytest_mpgrade.report.result_json import ResultFile
from pytest_mpgrade.report.terminal.class_causes import shared_causes
from pytest_mpgrade.report.terminal.result_diff import read_results
from pytest_mpgrade.system.did_you_mean import nearest_or_all, what_there_is
from pytest_mpgrade.system.text import one_line

_AT_FAULT = (Outcome.FAILED, Outcome.ERROR, Outcome.INCONCLUSIVE)
_CONCERNS = [str(each) for each in Concern if each is not Concern.HIDDEN]
_SHOWN = 20
"""Names in one line that says what there is."""


@dataclass(frozen=True, kw_only=True)
class Only:
    """What the user asks for; a submission is chosen where any of it is true of it."""

    causes: tuple[int, ...] = ()  # as `mpgrade causes` numbers them
    concerns: tuple[str, ...] = ()  # of a check that failed, or could not be decided
    questions: tuple[str, ...] = ()  # on which points were lost
    students: tuple[str, ...] = ()


def chosen_submissions(only: Only, out: Path, submissions: Collection[str]) -> frozenset[str]:
    """Return the chosen ones of these submissions, by the results below *out*.

    Raises UsageError with each number or name that there is not, or that chooses nobody.
    """
    mistakes = Mistakes()
    found: set[str] = set()
    for student in only.students:
        if student in submissions:
            found.add(student)
        else:
            near = nearest_or_all(student, sorted(submissions))
            mistakes.add(f"there is no submission {student!r} ({near})")
    by_result = only.causes or only.concerns or only.questions
    results = read_results(out) if by_result else {}
    asked: list[tuple[str, Callable[[], Collection[str]]]] = [
        *((f"cause {each}", partial(_of_cause, results, each, out)) for each in only.causes),
        *((f"concern {each}", partial(_of_concern, results, each, out)) for each in only.concerns),
        *(
            (f"question {each}", partial(_of_question, results, each, out))
            for each in only.questions
        ),
    ]
    for what, choose in asked:
        with mistakes.collected():
            found |= _handed_in(choose(), what, submissions)
    mistakes.tell()
    return frozenset(found)


def _handed_in(ids: Collection[str], what: str, submissions: Collection[str]) -> set[str]:
    """Return those that are handed in; results of others may lie beside theirs."""
    there = {*ids} & {*submissions}
    if not there:
        names = ", ".join(map(one_line, sorted(ids)[:_SHOWN]))
        raise UsageError(f"{what} is shared by {names} only, and none of them is handed in")
    return there


def _of_cause(results: Mapping[str, ResultFile], number: int, out: Path) -> Collection[str]:
    causes = shared_causes(results.values())
    if not 0 < number <= len(causes):
        there = f"there are 1 to {len(causes)}" if causes else "no check has failed"
        raise UsageError(f"there is no cause {number} ({there}; see mpgrade causes {out})")
    return causes[number - 1].submissions


def _of_concern(results: Mapping[str, ResultFile], name: str, out: Path) -> Collection[str]:
    shared: dict[str, set[str]] = {}
    for id, result in results.items():
        for check in result.checks:
            if check.outcome in _AT_FAULT:
                shared.setdefault(str(check.concern), set()).add(id)
    if name in shared:
        return shared[name]
    if name in _CONCERNS:
        told = what_there_is(sorted(shared))
        raise UsageError(f"no check of the concern {name!r} has failed in {out} ({told})")
    raise UsageError(f"there is no concern {name!r} ({nearest_or_all(name, _CONCERNS)})")


def _of_question(results: Mapping[str, ResultFile], name: str, out: Path) -> Collection[str]:
    """Return who has lost points on the questions of this name, with or without their file."""
    lost: dict[str, set[str]] = {}
    for id, result in results.items():
        for criterion in result.by_machine().criteria:
            for question in criterion.questions:
                unsure = any(each.undecided for each in question.units)
                mine = {id} if unsure or question.points < question.max_points else set()
                lost.setdefault(question.id, set()).update(mine)
    short = {id.rpartition("::")[2] for id in lost}
    ids = [id for id in lost if name in (id, id.rpartition("::")[2])]
    if not ids:
        raise UsageError(
            f"there is no question {name!r} in {out} ({nearest_or_all(name, sorted(short))})"
        )
    found = set().union(*(lost[id] for id in ids))
    if not found:
        raise UsageError(f"nobody in {out} has lost points on the question {name!r}")
    return found
