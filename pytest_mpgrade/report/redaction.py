"""What students are shown of a result: of hidden checks that there are such, and their points. Pure.

The result file, batches and gradebooks have everything; exports, and what is printed for a student, are made of this.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Mapping, Sequence

from pytest_mpgrade.records import Concern, Criterion, CriterionScore, Outcome, QuestionScore, Unit
from pytest_mpgrade.report.result_json import CheckPart, ResultFile

HIDDEN = "a hidden check"
"""All that is said of one."""


def redacted(result: ResultFile, criteria: Sequence[Criterion]) -> tuple[ResultFile, tuple[Criterion, ...]]:
    """Return a result and its rubric without names, messages and evidence of what is hidden, also where others tell."""
    names = {each.name: f"hidden-{number}" for number, each in enumerate(filter(_is_hidden, criteria), 1)}
    if not names:
        return result, tuple(criteria)
    hidden = [check for check in result.checks if check.criterion in names]
    told = _told(hidden, [check for check in result.checks if check.criterion not in names])
    checks = tuple(
        _covered(check, number, names[check.criterion]) if check.criterion in names else _without(check, told)
        for number, check in enumerate(result.checks, 1)
    )
    rubric = tuple(
        dataclasses.replace(each, name=names[each.name], title=HIDDEN) if each.name in names else each
        for each in criteria
    )
    why = _covered_why(result, hidden, told)
    reason = result.reason  # of an error it may hold some of them
    for said in sorted(filter(None, why), key=len, reverse=True):
        reason = reason.replace(said, why[said])
    return dataclasses.replace(
        result,
        checks=checks,
        criteria=tuple(_covered_score(each, names, criteria) for each in result.criteria),
        undecided=dataclasses.replace(result.undecided, why=tuple(dict.fromkeys(why.values()))),
        reason=told.sub(HIDDEN, reason),
    ), rubric


def _is_hidden(criterion: Criterion) -> bool:
    return criterion.hidden


def _told(hidden: Sequence[CheckPart], others: Sequence[CheckPart]) -> re.Pattern[str]:
    """Return what finds the names of hidden tests in a text, and of hidden checks where a check is named."""
    tests = {name for check in hidden for name in _test_names(check)}
    tests -= {name for check in others for name in _test_names(check)}
    # Names of checks are words such as "workers": only where `judge.blame` puts one, or alone.
    checks = _any_of({check.check for check in hidden} - {check.check for check in others})
    return re.compile(rf"(?<!\w)(?:{_any_of(tests)})(?!\w)|(?<=undecided by )(?:{checks})(?!\w)|\A(?:{checks})\Z")


def _any_of(names: Collection[str]) -> str:
    # The longest first, for a test's id holds its name. Without any, what never matches.
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True) if name) or "(?!)"


def _test_names(check: CheckPart) -> set[str]:
    name = check.test.rpartition("::")[2]
    return {check.id, check.test, check.question, name, name.partition("[")[0]}


def _covered_score(found: CriterionScore, names: Mapping[str, str], criteria: Sequence[Criterion]) -> CriterionScore:
    """Return a criterion's points; of a hidden one without its questions, and without its title in another's reason."""
    if found.name in names:
        question = _covered_question(found, names[found.name])
        return dataclasses.replace(found, name=names[found.name], title=HIDDEN, reason="", questions=(question,))
    titles = {repr(each.title or each.name) for each in criteria if each.hidden}
    told = re.sub(_any_of(titles), HIDDEN, found.reason)
    return dataclasses.replace(found, reason=told)


def _covered_question(found: CriterionScore, name: str) -> QuestionScore:
    """Return one question that stands for all of a hidden criterion: exports add up the points of units."""
    units = [unit for question in found.questions for unit in question.units]
    counted = [unit for unit in units if not unit.undecided] or units
    share = found.points / found.max_points if found.max_points else 0.0
    unit = Unit(
        start_method="",
        variant="",
        outcome=next((unit.outcome for unit in counted if unit.outcome is not Outcome.PASSED), Outcome.PASSED),
        share=round(share, 4),
        undecided=bool(units) and not found.max_points,
    )
    return QuestionScore(id=name, title=HIDDEN, points=found.points, max_points=found.max_points, units=(unit,))


def _covered_why(result: ResultFile, hidden: Sequence[CheckPart], told: re.Pattern[str]) -> dict[str, str]:
    """Return what is told in place of each reason why something was left undecided: of a hidden check nothing."""
    own = {check.check for check in hidden}
    return {
        reason: HIDDEN if reason.partition(":")[0] in own else told.sub(HIDDEN, reason)
        for reason in result.undecided.why
    }


def _covered(check: CheckPart, number: int, criterion: str) -> CheckPart:
    return dataclasses.replace(
        check, id=f"hidden-{number}/{HIDDEN}", title=HIDDEN, concern=Concern.HIDDEN, criterion=criterion,
        question=criterion, variant="", start_method="", message=HIDDEN, hint="", evidence={}, undecided_by="",
    )  # fmt: skip


def _without(check: CheckPart, told: re.Pattern[str]) -> CheckPart:
    return dataclasses.replace(
        check, message=told.sub(HIDDEN, check.message), hint=told.sub(HIDDEN, check.hint),
        undecided_by=told.sub(HIDDEN, check.undecided_by),
    )  # fmt: skip
