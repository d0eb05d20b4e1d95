"""What became of a machine's result: points that a person has set, the late rule; in the result, and in words. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pytest_mpgrade.records import Criterion, LateRules, Status
from pytest_mpgrade.report.result_json import MachinePart, OverridePart, ResultFile
from pytest_mpgrade.report.text import clean, counted, one_line, points


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

    What has no grade has one only when a person has set every criterion.
    """
    if not given:
        return result
    worth = {criterion.name: criterion.points for criterion in criteria}
    parts = tuple(_part(result, each, worth[each.criterion]) for each in given)
    whole = worth.keys() == {part.criterion for part in parts}
    return replace(
        result,
        score=round(math.fsum([result.score, *(part.points - part.was for part in parts)]), 6),
        max_score=round(math.fsum([result.max_score, *(part.max_points - part.was_of for part in parts)]), 6),
        status=Status.GRADED if whole else result.status,
        reason="" if whole else result.reason,
        overrides=parts,
        machine=MachinePart(score=result.score, max_score=result.max_score, status=result.status, reason=result.reason),
    )


def _part(result: ResultFile, given: Override, worth: float) -> OverridePart:
    return OverridePart(
        criterion=given.criterion,
        points=given.points,
        max_points=worth,
        was=result.earned(given.criterion),
        # Without a single check all points could have been had, see `as_result`.
        was_of=result.most(given.criterion) if result.checks else worth,
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
