"""The view of a result that students get: of hidden checks only their number and points. Pure.

The result file, batches and gradebooks have everything. Exports, and what is printed for a student,
are made of this view.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Collection, Mapping, Sequence

from pytest_mpgrade.records import (
    Concern,
    Criterion,
    CriterionScore,
    Outcome,
    QuestionScore,
    Unit,
    laid_to,
)
from pytest_mpgrade.report.causes import causes_of
from pytest_mpgrade.report.result_json import (
    CheckPart,
    MachinePart,
    OverridePart,
    ResultFile,
)

HIDDEN = "a hidden check"
"""The only words that students get about a hidden check."""


def redacted(
    result: ResultFile, criteria: Sequence[Criterion]
) -> tuple[ResultFile, tuple[Criterion, ...]]:
    """Return a result and its rubric without names, messages and evidence of hidden criteria.

    What other checks say of hidden ones is covered too.
    """
    names = {
        each.name: f"hidden-{number}" for number, each in enumerate(filter(_is_hidden, criteria), 1)
    }
    if not names:
        return result, tuple(criteria)
    hidden = [check for check in result.checks if check.criterion in names]
    others = [check for check in result.checks if check.criterion not in names]
    cover = _cover(hidden, others)
    secret = _secret(hidden, others)
    checks = tuple(
        (
            _covered(check, number, names[check.criterion])
            if check.criterion in names
            else _without(check, cover, secret)
        )
        for number, check in enumerate(result.checks, 1)
    )
    rubric = tuple(
        dataclasses.replace(each, name=names[each.name], title=HIDDEN) if each.hidden else each
        for each in criteria
    )
    runs = {check.run for check in checks}
    why = _covered_why(result.undecided.why, hidden, cover)
    shown = dataclasses.replace(
        result,
        checks=checks,
        timelines={key: each for key, each in result.timelines.items() if key in runs},
        criteria=tuple(_covered_score(each, names, criteria) for each in result.criteria),
        undecided=dataclasses.replace(result.undecided, why=tuple(dict.fromkeys(why.values()))),
        reason=cover(_covered_reason(result.reason, why)),
        overrides=tuple(_covered_override(each, names, cover) for each in result.overrides),
        machine=result.machine and _covered_machine(result.machine, names, criteria, hidden, cover),
    )
    # Made again, from what is shown: the points of hidden checks hang on no cause.
    return dataclasses.replace(shown, causes=causes_of(shown)), rubric


def _is_hidden(criterion: Criterion) -> bool:
    return criterion.hidden


def _secret(hidden: Sequence[CheckPart], others: Sequence[CheckPart]) -> set[str]:
    """Return the names of checks that are made in hidden tests only."""
    return {check.check for check in hidden} - {check.check for check in others}


def _cover(hidden: Sequence[CheckPart], others: Sequence[CheckPart]) -> Callable[[str], str]:
    """Return a function that covers the names of hidden tests in a text.

    It also covers the name of a hidden check on whose failure something is blamed, and no other
    name of a check: these are words such as "workers", which a message may use in another sense.
    """
    tests = {name for check in hidden for name in _test_names(check)}
    tests -= {name for check in others for name in _test_names(check)}
    named = re.compile(rf"(?<!\w)(?:{_any_of(tests)})(?!\w)")
    leads = [laid_to(name, "") for name in _secret(hidden, others)]

    def cover(text: str) -> str:
        for lead in leads:
            text = text.replace(lead, laid_to(HIDDEN, ""))
        return named.sub(HIDDEN, text)

    return cover


def _any_of(names: Collection[str]) -> str:
    # The longest first, for a test's id holds its name. Without any, what never matches.
    return (
        "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True) if name) or "(?!)"
    )


def _test_names(check: CheckPart) -> set[str]:
    name = check.test.rpartition("::")[2]
    return {check.id, check.test, check.question, name, name.partition("[")[0]}


def _covered_score(
    score: CriterionScore, names: Mapping[str, str], criteria: Sequence[Criterion]
) -> CriterionScore:
    """Return a criterion's score without what is hidden.

    A hidden criterion loses its questions, and another criterion's reason loses the titles of
    hidden ones.
    """
    if score.name in names:
        question = _covered_question(score, names[score.name])
        return dataclasses.replace(
            score, name=names[score.name], title=HIDDEN, reason="", questions=(question,)
        )
    titles = {repr(each.title or each.name) for each in criteria if each.hidden}
    reason = re.sub(_any_of(titles), HIDDEN, score.reason)
    return dataclasses.replace(score, reason=reason)


def _covered_question(score: CriterionScore, name: str) -> QuestionScore:
    """Return one question that stands for all questions of a hidden criterion.

    It has one unit, since exports add up the points of units.
    """
    units = [unit for question in score.questions for unit in question.units]
    counted = [unit for unit in units if not unit.undecided] or units
    share = score.points / score.max_points if score.max_points else 0.0
    unit = Unit(
        start_method="",
        variant="",
        outcome=next(
            (unit.outcome for unit in counted if unit.outcome is not Outcome.PASSED), Outcome.PASSED
        ),
        share=round(share, 4),
        undecided=bool(units) and not score.max_points,
    )
    return QuestionScore(
        id=name, title=HIDDEN, points=score.points, max_points=score.max_points, units=(unit,)
    )


def _covered_override(
    part: OverridePart, names: Mapping[str, str], cover: Callable[[str], str]
) -> OverridePart:
    """Return what a person has set, without a hidden criterion's name and why it was set."""
    if part.criterion in names:
        return dataclasses.replace(part, criterion=names[part.criterion], reason=HIDDEN)
    return dataclasses.replace(part, reason=cover(part.reason))


def _covered_machine(
    part: MachinePart,
    names: Mapping[str, str],
    criteria: Sequence[Criterion],
    hidden: Sequence[CheckPart],
    cover: Callable[[str], str],
) -> MachinePart:
    """Return what the grading itself said, covered as the result is."""
    why = _covered_why(part.undecided.why, hidden, cover)
    return dataclasses.replace(
        part,
        reason=cover(_covered_reason(part.reason, why)),
        undecided=dataclasses.replace(part.undecided, why=tuple(dict.fromkeys(why.values()))),
        criteria=tuple(_covered_score(each, names, criteria) for each in part.criteria),
    )


def _covered_why(
    given: Sequence[str], hidden: Sequence[CheckPart], cover: Callable[[str], str]
) -> dict[str, str]:
    """Return for each reason why something was left undecided the text that students get.

    The text says nothing of a hidden check.
    """
    own = {check.check for check in hidden}
    return {
        reason: HIDDEN if reason.partition(":")[0] in own else cover(reason) for reason in given
    }


def _covered_reason(reason: str, why: Mapping[str, str]) -> str:
    """Return a result's reason in the words of `_covered_why`; an error may quote some."""
    for said in sorted(filter(None, why), key=len, reverse=True):
        reason = reason.replace(said, why[said])
    return reason


def _covered(check: CheckPart, number: int, criterion: str) -> CheckPart:
    return dataclasses.replace(
        check,
        id=f"hidden-{number}/{HIDDEN}",
        title=HIDDEN,
        concern=Concern.HIDDEN,
        criterion=criterion,
        question=criterion,
        variant="",
        start_method="",
        message=HIDDEN,
        hint="",
        evidence={},
        undecided_by="",
        run="",
    )


def _without(check: CheckPart, cover: Callable[[str], str], secret: Collection[str]) -> CheckPart:
    by = HIDDEN if check.undecided_by in secret else cover(check.undecided_by)
    return dataclasses.replace(
        check, message=cover(check.message), hint=cover(check.hint), undecided_by=by
    )
