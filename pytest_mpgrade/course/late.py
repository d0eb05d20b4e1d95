"""Apply the assignment's late rule to the points of a submission.

Pure: a batch calls it for each late submission.
"""

from __future__ import annotations

from fractions import Fraction

from pytest_mpgrade.course import expression
from pytest_mpgrade.course.rounding import half_up
from pytest_mpgrade.records import LateRules

NAMES = ("points", "max_points", "days", "hours", "late")
"""The names that a rule may use.

`late` is 1. `days` and `hours` are the same time, both with a fraction.
"""
_TIMES = frozenset(("days", "hours"))
_HOUR, _DAY = 3600.0, 86400.0
"""Seconds."""


def late_points(
    rules: LateRules, points: float, max_points: float, seconds: float | None, step: float = 0.01
) -> float:
    """Return the points after *seconds* of lateness (None: unknown), from 0 to *points*.

    They are rounded half up to a multiple of *step*, as the assignment rounds its score.

    Raises ValueError, with the reason, where the rule has no value.
    """
    values = {"points": points, "max_points": max_points, "late": 1.0}
    if seconds is not None:
        values |= {"days": seconds / _DAY, "hours": seconds / _HOUR}
    elif _TIMES & (expression.names_in(rules.penalty) | expression.names_in(rules.drop)):
        raise ValueError(
            "it is marked late, and nothing says by how much: give a roster with a column"
            " 'submitted'"
        )
    try:
        if expression.evaluate(rules.drop, values):
            return 0.0
        remaining = min(points, max(0.0, points - expression.evaluate(rules.penalty, values)))
        return min(points, float(half_up(Fraction(str(round(remaining, 6))), Fraction(str(step)))))
    except ArithmeticError as error:
        raise ValueError(
            f"the late rule cannot be evaluated ({error}): give the points by hand"
        ) from error
