"""The tree's own time, on looks written down by hand."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pytest_mpgrade.run.observe.clock import MOST_SECONDS, Clock


def held_up(
    looks: Sequence[bool], taken: Sequence[int], apart: float = 0.5
) -> tuple[float, list[float], Clock]:
    """Look at times so far *apart*, something waiting or not; return what was held up in all, and
    at each look.
    """
    answers, counts = iter(looks), iter(taken)
    times = (number * apart for number in range(2 * len(looks)))
    clock = Clock(lambda: next(answers), lambda: next(counts), lambda: next(times))
    each = [clock.look() for _ in looks]
    return clock.held_up, each, clock


@pytest.mark.parametrize(
    ("looks", "taken", "seconds"),
    [
        pytest.param([False] * 6, [0] * 6, 0.0, id="nothing waits"),
        pytest.param(
            [False, True, False, True, False],
            [0, 0, 1, 1, 2],
            0.0,
            id="what is taken in between two looks",
        ),
        pytest.param([False, True, True, True, False], [0, 0, 0, 0, 1], 1.0, id="three looks"),
        pytest.param([True, True, False, True, True], [0, 0, 1, 1, 1], 1.0, id="twice"),
        pytest.param(
            [True, True, True, True], [0, 0, 1, 1], 1.0, id="two things, one after the other"
        ),
        pytest.param(
            [True, True, True, True], [0, 9, 18, 27], 0.0, id="who keeps us busy is not held up"
        ),
    ],
)
def test_time_in_which_something_waits_and_nothing_is_taken_in(
    looks: Sequence[bool], taken: Sequence[int], seconds: float
) -> None:
    """What passes between two looks is not the tree's time if something waits for us at both, and
    we do nothing.
    """
    total, each, clock = held_up(looks, taken)
    assert (total, sum(each)) == (seconds, seconds)
    assert clock.now() == len(looks) * 0.5 - seconds


def test_clock_does_not_stand_for_ever() -> None:
    """Where we never get to it, time runs on after a while."""
    total, _, clock = held_up([True] * 10, [0] * 10, apart=10.0)
    assert (total, clock.now()) == (MOST_SECONDS, 100.0 - MOST_SECONDS)
