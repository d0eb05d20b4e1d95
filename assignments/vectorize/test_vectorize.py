"""Grading of `pairwise_sq_dists` and `estimate_pi_vectorized`: loops that NumPy does.

That a function does not loop is not timed: the lines of Python that it executes are counted, for
two sizes of its data.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pytest_mpgrade import checks, steps
from pytest_mpgrade.records import Assignment, Concern, Run, Step
from pytest_mpgrade.student import Student

pytestmark = [pytest.mark.rehearsed, pytest.mark.start_methods("any")]

N_DRAWS = 199_999
"""No multiple of a usual size of blocks: a rest that is left out shows in the estimate."""
SEEDS = range(5)
SECOND = (*range(1, 11), 42, 100, 123, 1000, 10_000, 12_345)
"""What is added to the seed of one coordinate for a generator of the other one."""
BLOCKS = (1_000, 10_000, 50_000, 100_000, *(2**power for power in range(10, 18)))
"""Usual sizes of blocks of draws."""
SMALL, LARGE = 30, 350
"""Rows. Of a few more, the distances would be more than the grader takes back."""
FEW_DRAWS, MORE_DRAWS = 1_000, 9_000
POINTS = np.random.default_rng(507).normal(3.0, 2.0, size=(60, 4))
SINGLE, COLUMN = POINTS[:1], POINTS[:9, :1]
ENTRY = "entry (i, j) is the sum of (x[i] - x[j]) ** 2"
RTOL, ATOL = 1e-9, 1e-9
"""Rounding of |x|^2 + |y|^2 - 2 x y is about 1e-14 for these points, in whatever order."""


def distances(x: Any) -> Any:
    """Return the squared distances of all rows."""
    return ((x[:, None, :] - x[None, :, :]) ** 2).sum(axis=2)


def other_generators(seed: int) -> dict[str, list[float]]:
    """Return the estimates that generators other than default_rng(seed) give.

    Each gives some, one for each usual order of draws: in the quarter of a circle, and in a whole
    one.
    """
    row = np.random.RandomState(seed).random_sample(2 * N_DRAWS)
    pairs = (row.reshape(2, N_DRAWS), row.reshape(N_DRAWS, 2).T)
    given = {"numpy.random.RandomState(seed)": [each for pair in pairs for each in _pis(*pair)]}
    right = np.random.default_rng(seed).random(2 * N_DRAWS)
    x = right[:N_DRAWS]
    for more in SECOND:
        y = np.random.default_rng(seed + more).random(N_DRAWS)
        given[f"a second generator for y, default_rng(seed + {more}),"] = _pis(x, y)
    for block in BLOCKS:
        words = f"numpy.random.default_rng(seed), but without the last {N_DRAWS % block} draws"
        given[words] = cut_off(right, block)
    return given


def cut_off(draws: Any, block: int) -> list[float]:
    """Return the estimates of whole blocks of draws, for each usual order within a block."""
    count = N_DRAWS // block
    row = draws[: 2 * count * block]
    pairs = row.reshape(-1, 2).T
    split = row.reshape(count, 2, block)
    found = [each for xy in (pairs, (split[:, 0], split[:, 1])) for each in _pis(*xy)]
    return found + [each * N_DRAWS / (count * block) for each in found]


def _pis(x: Any, y: Any) -> list[float]:
    quarter = np.count_nonzero(x * x + y * y <= 1)
    whole = np.count_nonzero((2 * x - 1) ** 2 + (2 * y - 1) ** 2 <= 1)
    return [4 * int(count) / N_DRAWS for count in (quarter, whole)]


def _distances(x: Any, words: str) -> Step:
    return steps.call("pairwise_sq_dists", x, words=words)


def _pi(n_draws: int = N_DRAWS, seed: int = 0) -> Step:
    return steps.call("estimate_pi_vectorized", n_draws, seed)


def _counted(function: str, *inputs: tuple[object, ...]) -> Step:
    return steps.inspection("lines_executed", steps.own(function), *inputs)


ROWS = np.random.default_rng(508).normal(size=(LARGE, 3))
PLAIN = (_distances(POINTS, "60 points"), _pi())
AGAIN = (_pi(), *(_pi(seed=seed) for seed in SEEDS[1:]))
STATE = (steps.inspection("random_state"), _pi(), steps.inspection("random_state"))
COUNTED = {
    "pairwise_sq_dists": (
        _counted("pairwise_sq_dists", (POINTS,), (ROWS[:SMALL],), (ROWS,)),
        SMALL,
        LARGE,
    ),
    "estimate_pi_vectorized": (
        _counted("estimate_pi_vectorized", (FEW_DRAWS, 1), (FEW_DRAWS, 0), (MORE_DRAWS, 0)),
        FEW_DRAWS,
        MORE_DRAWS,
    ),
}
EDGES = (_distances(SINGLE, "1 point"), _distances(COLUMN, "9 points on a line"))
THREES = tuple(_pi(3, seed) for seed in range(40))
"""Together 120 draws, of which an estimate of 0 for each is too far from pi."""


@pytest.fixture(autouse=True)
def plain(student: Student) -> dict[str, Run]:
    """Make the plainest call of each function."""
    return {step.function: student.rely_on(step)[0] for step in PLAIN}


@pytest.mark.criterion("interface")
def test_module_imports_and_has_the_functions(student: Student, assignment: Assignment) -> None:
    """The module imports without error or child process, and has the functions."""
    student.check(
        student.imported(), checks.imports_cleanly(), checks.has_functions(assignment.functions)
    )


@pytest.mark.criterion("results", weight=2)
def test_distances(plain: dict[str, Run], student: Student) -> None:
    """pairwise_sq_dists returns the squared distances of all rows."""
    student.check(
        plain["pairwise_sq_dists"],
        checks.comes_back(),
        checks.returns_close(distances(POINTS), RTOL, ATOL, hint=ENTRY),
    )


@pytest.mark.criterion("results")
def test_many_distances(student: Student) -> None:
    """The distances of many rows are as exact as those of few."""
    (run,) = student.play(_distances(ROWS, f"{LARGE} points"))
    student.check(run, checks.returns_close(distances(ROWS), RTOL, ATOL, hint=ENTRY))


@pytest.mark.criterion("results")
def test_estimate_of_pi(plain: dict[str, Run], student: Student) -> None:
    """estimate_pi_vectorized returns a float near pi."""
    student.check(
        plain["estimate_pi_vectorized"], checks.comes_back(), checks.estimates_pi(N_DRAWS)
    )


@pytest.mark.criterion("streams")
def test_seed_decides_the_estimate(plain: dict[str, Run], student: Student) -> None:
    """The same seed gives the same estimate again, and another seed another one."""
    again, *others = student.play(*AGAIN)
    student.check(
        plain["estimate_pi_vectorized"], checks.same_streams(again), checks.seeds_matter(*others)
    )


@pytest.mark.criterion("streams")
def test_draws_come_from_default_rng(student: Student) -> None:
    """The draws are those of numpy.random.default_rng(seed), and no global generator is touched."""
    first, *others = student.play(*AGAIN)
    known = [other_generators(seed) for seed in SEEDS]
    student.check(first, checks.not_drawn_from(others, known))
    before, call, after = student.play(*STATE)
    student.check(after, checks.leaves_global_state(before, call))


@pytest.mark.criterion("vectorized")
@pytest.mark.parametrize("name", COUNTED)
def test_no_loop_runs_over_the_data(student: Student, name: str) -> None:
    """What a function executes of Python does not grow with its data."""
    step, small, large = COUNTED[name]
    student.check(student.play(step)[0], checks.no_python_loop(f"{name}()", small, large))


@pytest.mark.criterion("serial")
@pytest.mark.parametrize("name", COUNTED)
def test_no_process_is_started(student: Student, name: str, plain: dict[str, Run]) -> None:
    """One process does the work: no child process is started."""
    student.check(plain[name], checks.started(0))


@pytest.mark.criterion("edge")
def test_few_points_and_draws(student: Student) -> None:
    """A single point is at no distance from itself; a single column and three draws will do."""
    single, column = student.play(*EDGES)
    for run, x in ((single, SINGLE), (column, COLUMN)):
        student.check(run, checks.returns_close(distances(x), RTOL, ATOL, Concern.EDGE))
    draws, *others = student.play(*THREES)
    student.check(draws, checks.estimates_pi(3, Concern.EDGE, others=others))
