"""What became of a machine's result: points that a person has set, the late rule; in the result, and in words. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from pytest_mpgrade.judge import rounding
from pytest_mpgrade.records import Criterion, CriterionScore, LateRules, Status
from pytest_mpgrade.report.result_json import MachinePart, OverridePart, ResultFile
from pytest_mpgrade.report.text import clean, counted, one_line, points

_CENT = Fraction(1, 100)


@dataclass(frozen=True, kw_only=True)
class Override:
    """What a person decided about one criterion of one submission."""

    submission: str
    criterion: str
    points: float
    reason: str
    who: str


def with_overrides(result: ResultFile, given: Sequence[Override], criteria: Sequence[Criterion]) -> ResultFile:
    """Return a machine's result with points set by hand; each of them is worth the whole criterion.

    What has no grade has one only when a person has set every criterion. What could not be decided and is set by hand
    is decided: the other criteria no longer share its points.
    """
    if not given:
        return result
    worth = {criterion.name: criterion.points for criterion in criteria}
    parts = tuple(_part(result, each, worth[each.criterion]) for each in given)
    whole = worth.keys() == {part.criterion for part in parts}
    scores = _scores(result, {part.criterion: part for part in parts}, criteria)
    return replace(
        result,
        score=round(math.fsum(each.points for each in scores), 6),
        max_score=round(math.fsum(each.max_points for each in scores), 6),
        status=Status.GRADED if whole else result.status,
        reason="" if whole else result.reason,
        criteria=scores,
        overrides=parts,
        machine=MachinePart(
            score=result.score, max_score=result.max_score, status=result.status, reason=result.reason,
            criteria=result.criteria,
        ),
    )  # fmt: skip


def _scores(
    result: ResultFile, set_by_hand: Mapping[str, OverridePart], criteria: Sequence[Criterion]
) -> tuple[CriterionScore, ...]:
    """Return all criteria; those that nobody has set share what is left of the assignment's points in proportion."""
    worth = {each.name: Fraction(str(each.points)) for each in criteria}
    others = [each for each in result.criteria if each.name not in set_by_hand and each.max_points]
    left = sum((points for name, points in worth.items() if name not in set_by_hand), Fraction(0))
    counted = sum((worth[each.name] for each in others), Fraction(0))
    most = rounding.earned([worth[each.name] * left / counted for each in others], left, _CENT) if counted else []
    shared = {each.name: _scaled(each, top) for each, top in zip(others, most, strict=True)}
    return tuple(_set(each, set_by_hand[each.name]) if each.name in set_by_hand else shared.get(each.name, each)
                 for each in result.criteria)  # fmt: skip


def _scaled(found: CriterionScore, most: Fraction) -> CriterionScore:
    """Return a criterion that is worth *most* points now, with the same part of them earned."""
    if float(most) == found.max_points:
        return found
    earned = Fraction(str(found.points)) / Fraction(str(found.max_points))
    return replace(found, points=float(rounding.half_up(earned * most, _CENT)), max_points=float(most))


def _set(found: CriterionScore, part: OverridePart) -> CriterionScore:
    return replace(found, points=part.points, max_points=part.max_points, reason="")


def _part(result: ResultFile, given: Override, worth: float) -> OverridePart:
    was = result.criterion(given.criterion)
    return OverridePart(
        criterion=given.criterion,
        points=given.points,
        max_points=worth,
        was=was.points if was else 0.0,
        was_of=was.max_points if was else worth,
        reason=clean(given.reason),
        who=clean(given.who),
    )


def words(result: ResultFile) -> list[str]:
    """Say what was changed by hand, from what to what, by whom and why: a line for each criterion."""
    own = result.machine
    whole = own is not None and own.status is not result.status
    head = [f"graded by hand; the grader said: {own.status}: {one_line(own.reason)}"] if own and whole else []
    return head + [
        f"{one_line(each.criterion)}: {points(each.was)} of {points(each.was_of)} -> {points(each.points)} of"
        f" {points(each.max_points)} by hand, {one_line(each.who)}: {one_line(each.reason)}"
        for each in result.overrides
    ]


def late_words(result: ResultFile) -> str:
    """Say what coming late costs, or why nobody can tell; "" where it was not late."""
    late = result.late
    if late is None:
        return ""
    how = "late" if late.seconds is None else f"late by {duration(late.seconds)}"
    if late.score is None:
        return f"{how}: {points(result.score)} points before the late rule; {one_line(late.problem)}"
    drop = "" if late.drop == LateRules.drop else f", drop: {late.drop}"
    rule = one_line(f"penalty: {late.penalty}{drop}")
    return f"{how}: {points(result.score)} -> {points(late.score)} points ({rule})"


def duration(seconds: float) -> str:
    """Return a long time as people say it: ``2 days 3 h``, ``5 h 10 min``, ``1 min``."""
    minutes = max(1, round(seconds / 60))
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    if days:
        return f"{counted(days, 'day')} {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
