"""Functions that look at values and state in the student's process."""

from __future__ import annotations

import operator
import sys
import threading
from collections.abc import Callable

import numpy as np
import pytest

from pytest_mpgrade.inside.inspections import is_fitted, lines_executed, random_state

Counted = Callable[[int], object]


def successor(a: int) -> int:
    """Return the next integer."""
    return a + 1


def in_a_thread(n: int) -> None:
    """Loop in another thread."""
    other = threading.Thread(target=lambda: [i * i for i in range(n)])
    other.start()
    other.join()


def by_blocks(n: int) -> int:
    """Loop over blocks of 100 items."""
    total = 0
    for start in range(0, n, 100):
        block = np.arange(start, min(n, start + 100))
        total += int((block * block).sum())
    return total


LOOPS: dict[str, Counted] = {
    "a comprehension": lambda n: [i * i for i in range(n)],
    "a generator expression": lambda n: sum(i for i in range(n)),
    "np.vectorize": lambda n: np.vectorize(lambda a: a + 1)(np.arange(n)),
    "np.apply_along_axis": lambda n: np.apply_along_axis(np.sum, 1, np.ones((n, 2))),
    "map() of a function": lambda n: list(map(successor, range(n))),
    "another thread": in_a_thread,
}
ARRAYS: dict[str, Counted] = {
    "an expression": lambda n: (np.arange(n) ** 2).sum(),
    "blocks": by_blocks,
    "map() of an operator": lambda n: sum(map(operator.neg, range(n))),
}


@pytest.mark.parametrize("name", LOOPS)
def test_loop_grows_with_its_data(name: str) -> None:
    """What a loop of Python executes grows by a line for each item at least."""
    small, large = lines_executed(LOOPS[name], (5,), (10,), (1010,))
    assert large - small >= 1000


@pytest.mark.parametrize("name", ARRAYS)
def test_no_loop_does_not_grow(name: str) -> None:
    """What a function of whole arrays executes does not grow with them, or hardly."""
    small, large = lines_executed(ARRAYS[name], (5,), (10,), (1010,))
    assert small >= 2
    assert large - small < 100


def test_counter_that_is_taken_away() -> None:
    """A function that switches tracing off has no count."""
    assert lines_executed(lambda _: sys.settrace(None), (0,), (1,)) == [-1]


def test_state_of_the_global_generators() -> None:
    """A draw from a global generator changes its digest, and a draw from another one none."""
    before = random_state()
    np.random.default_rng(507).random()
    assert random_state() == before
    np.random.random()
    after = random_state()
    assert (after[0], after[1] != before[1]) == (before[0], True)


def test_fitted_estimators() -> None:
    """An estimator is known to be fitted by the attributes that a fit adds."""
    from sklearn.linear_model import LogisticRegression

    estimator = LogisticRegression()
    assert not is_fitted(estimator)
    assert is_fitted(estimator.fit([[0.0], [1.0]], [0, 1]))
