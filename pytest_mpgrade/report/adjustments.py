"""Points that a person has set and the late rule: in the result, and in words. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from pytest_mpgrade.course import rounding
from pytest_mpgrade.records import Criterion, CriterionScore, LateRules, Status, Undecided
from pytest_mpgrade.report.result_json import MachinePart, OverridePart, ResultFile
from pytest_mpgrade.system.text import clean, counted, one_line, points

_CENT = Fraction(1, 100)
_ROUNDED = 0.005 + 1e-9
"""Points are rounded to hundredths, so sums may differ by half of one, and by the error of a float.
"""


@dataclass(frozen=True, kw_only=True)
class Override:
    """What a person decided about one criterion of one submission."""

    submission: str
    criterion: str
    points: float
    reason: str
    who: str


def with_overrides(
    result: ResultFile, given: Sequence[Override], criteria: Sequence[Criterion]
) -> ResultFile:
    """Return a machine's result with points set by hand; each of them is worth the whole criterion.

    What has no grade has one only when a person has set every criterion. What could not be decided
    and is set by hand is decided: the other criteria no longer share its points.
    """
    if not given:
        return result
    worth = {criterion.name: criterion.points for criterion in criteria}
    parts = tuple(_part(result, each, worth[each.criterion]) for each in given)
    whole = worth.keys() == {part.criterion for part in parts}
    scores = _scores(result, {part.criterion: part for part in parts}, criteria)
    most = round(math.fsum(each.max_points for each in scores), 6)
    status, reason = (Status.GRADED, "") if whole else (result.status, result.reason)
    all_points = math.fsum(worth.values())
    if status is Status.GRADED and all_points - most > _ROUNDED:
        told = f"{points(all_points - most)} of {points(all_points)} points"
        status, reason = Status.ERROR, f"nothing is left to take over what was not decided: {told}"
    return replace(
        result,
        score=round(math.fsum(each.points for each in scores), 6),
        max_score=most,
        status=status,
        reason=reason,
        undecided=_undecided(result, {part.criterion for part in parts}),
        criteria=scores,
        overrides=parts,
        machine=MachinePart(
            score=result.score,
            max_score=result.max_score,
            status=result.status,
            reason=result.reason,
            undecided=result.undecided,
            criteria=result.criteria,
        ),
    )


def _undecided(result: ResultFile, by_hand: Collection[str]) -> Undecided:
    """Return what neither the machine nor a person has decided."""
    undecided = math.fsum(each.undecided for each in result.criteria if each.name not in by_hand)
    told = [
        (each.criterion in by_hand, one_line(f"{each.check}: {each.message}"))
        for each in result.checks
    ]
    settled = {why for mine, why in told if mine} - {why for mine, why in told if not mine}
    return Undecided(
        points=round(undecided, 6),
        why=tuple(why for why in result.undecided.why if why not in settled),
    )


def _scores(
    result: ResultFile, set_by_hand: Mapping[str, OverridePart], criteria: Sequence[Criterion]
) -> tuple[CriterionScore, ...]:
    """Return the scores of all criteria, those that a person has set among them.

    The other criteria share what is left of the assignment's points, in proportion to their own.
    """
    worth = {each.name: Fraction(str(each.points)) for each in criteria}
    others = [each for each in result.criteria if each.name not in set_by_hand and each.max_points]
    remaining = sum(
        (points for name, points in worth.items() if name not in set_by_hand), Fraction(0)
    )
    counted = sum((worth[each.name] for each in others), Fraction(0))
    most = (
        rounding.earned(
            [worth[each.name] * remaining / counted for each in others], remaining, _CENT
        )
        if counted
        else []
    )
    shared = {each.name: _scaled(each, top) for each, top in zip(others, most, strict=True)}
    return tuple(
        (
            _set(each, set_by_hand[each.name])
            if each.name in set_by_hand
            else shared.get(each.name, each)
        )
        for each in result.criteria
    )


def _scaled(found: CriterionScore, most: Fraction) -> CriterionScore:
    """Return a criterion that is worth *most* points now, with the same part of them earned."""
    if float(most) == found.max_points:
        return found
    had, could = (Fraction(str(value)) for value in (found.points, found.max_points))
    now = rounding.half_up(had / could * most, _CENT)
    earned = rounding.earned(
        [Fraction(str(each.points)) * most / could for each in found.questions], now, _CENT
    )
    tops = rounding.most_points(
        [Fraction(str(each.max_points)) * most / could for each in found.questions],
        earned,
        [each.points == each.max_points for each in found.questions],
        most,
        _CENT,
    )
    questions = tuple(
        replace(each, points=float(points), max_points=float(top))
        for each, points, top in zip(found.questions, earned, tops, strict=True)
    )
    return replace(found, points=float(now), max_points=float(most), questions=questions)


def _set(found: CriterionScore, part: OverridePart) -> CriterionScore:
    return replace(found, points=part.points, max_points=part.max_points, undecided=0.0, reason="")


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


def change_lines(result: ResultFile) -> list[str]:
    """Say what was changed by hand: a line for each criterion.

    It names the points before and after, who changed them, and why.
    """
    own = result.machine
    whole = own is not None and own.status is not result.status
    head = (
        [f"graded by hand; the grader said: {own.status}: {one_line(own.reason)}"]
        if own and whole
        else []
    )
    return head + [
        f"{one_line(each.criterion)}: {points(each.was)} of {points(each.was_of)} ->"
        f" {points(each.points)} of {points(each.max_points)} by hand, {one_line(each.who)}:"
        f" {one_line(each.reason)}"
        for each in result.overrides
    ]


def late_words(result: ResultFile) -> str:
    """Return what handing in late costs, or why that is unknown; "" for work in time."""
    late = result.late
    if late is None:
        return ""
    how = "late" if late.seconds is None else f"late by {duration(late.seconds)}"
    if late.score is None:
        return (
            f"{how}: {points(result.score)} points before the late rule; {one_line(late.problem)}"
        )
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
