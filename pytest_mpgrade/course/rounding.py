"""Round points to multiples of a step so that they still add up to the rounded sum.

A rubric whose lines do not add up to its sum cannot be defended. The method is that of largest
remainders (Hamilton's): every item is rounded down, and the steps that are missing go to the items
that have lost most by that.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from fractions import Fraction


def half_up(value: Fraction, step: Fraction) -> Fraction:
    """Return the nearest multiple of *step*, and the greater of two that are equally near."""
    return math.floor(value / step + Fraction(1, 2)) * step


def earned(exact: Sequence[Fraction], total: Fraction, step: Fraction) -> list[Fraction]:
    """Return multiples of *step* next to *exact* that add up to *total*, their rounded sum."""
    return _spread(exact, [_floor(each, step) for each in exact], total, step)


def most_points(
    exact: Sequence[Fraction],
    points: Sequence[Fraction],
    full: Sequence[bool],
    total: Fraction,
    step: Fraction,
) -> list[Fraction]:
    """Return the most points of each, as multiples of *step* that add up to *total*.

    *points* are the rounded ones that each has earned: never more than these, and the same where it
    is *full*.
    """
    if all(full):
        return list(points)
    least = [
        own if done else max(own, _floor(each, step))
        for each, own, done in zip(exact, points, full, strict=True)
    ]
    over = sum(least) - total
    while over > 0:  # full items were rounded up: take their steps from others
        place = max(range(len(least)), key=lambda i: least[i] - points[i])
        least[place] -= step
        over -= step
    wanted = [own if done else each for each, own, done in zip(exact, points, full, strict=True)]
    return _spread(wanted, least, total, step)


def _floor(value: Fraction, step: Fraction) -> Fraction:
    return math.floor(value / step) * step


def _spread(
    exact: Sequence[Fraction], least: Sequence[Fraction], total: Fraction, step: Fraction
) -> list[Fraction]:
    """Give the steps that are missing in *total* to those furthest below *exact*, in turn."""
    spread = list(least)
    # The item that lacks most is at the front, the first of several that lack as much.
    lacking = [
        (has - wants, place) for place, (wants, has) in enumerate(zip(exact, least, strict=True))
    ]
    heapq.heapify(lacking)
    for _ in range(round((total - sum(least)) / step)):
        lack, place = lacking[0]
        heapq.heapreplace(lacking, (lack + step, place))
        spread[place] += step
    return spread
