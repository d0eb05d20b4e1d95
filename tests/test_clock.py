"""The tree's own time, on looks written down by hand."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pytest_mpgrade.run.clock import MOST_SECONDS, Clock


def held_up(looks: Sequence[bool], apart: float = 0.5) -> tuple[float, list[float], Clock]:
    """Look at times so far *apart*, something waiting or not; return what was held up in all, and at each look."""
    answers = iter(looks)
    times = (number * apart for number in range(2 * len(looks)))
    clock = Clock(lambda: next(answers), lambda: next(times))
    each = [clock.look() for _ in looks]
    return clock.held_up, each, clock


@pytest.mark.parametrize(
    ("looks", "seconds"),
    [
        pytest.param([False] * 6, 0.0, id="nothing waits"),
        pytest.param([False, True, False, True, False], 0.0, id="what is taken in between two looks"),
        pytest.param([False, True, True, True, False], 1.0, id="three looks"),
        pytest.param([True, True, False, True, True], 1.0, id="twice"),
    ],
)
def test_time_between_looks_at_which_something_waits(looks: Sequence[bool], seconds: float) -> None:
    """What passes between two looks at both of which something waits for us is not the tree's time."""
    total, each, clock = held_up(looks)
    assert (total, sum(each)) == (seconds, seconds)
    assert clock.now() == len(looks) * 0.5 - seconds
    assert clock.stands == looks[-1]


def test_tree_that_keeps_us_busy_has_an_end() -> None:
    """Whoever starts processes without end does not stop the clock for ever."""
    total, _, clock = held_up([True] * 10, apart=10.0)
    assert (total, clock.stands) == (MOST_SECONDS, False)
