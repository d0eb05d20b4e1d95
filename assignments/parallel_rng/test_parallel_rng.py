"""Grading of `bootstrap_means` and `estimate_pi`: random numbers in child processes.

The data are such that a mean gives away its sample, so that the draws of all tasks can be compared
by the results alone.
"""

from __future__ import annotations

import numpy as np
import pytest

from pytest_mpgrade import checks, steps
from pytest_mpgrade.records import Assignment, Concern, Ending, Run, Step
from pytest_mpgrade.student import Student

pytestmark = pytest.mark.rehearsed

N_BOOT, N_PAIRS, N_DRAWS = 100, 400, 600_000
"""600,000 points can be divided into 2 to 6, 8, 10, 12, 15, 16, 20, 24, 25, 30, 32, 40, 48, 50, 60,
64, 75 or 100 equal parts, and into parts of 10,000, 50,000 or 100,000.
"""
NUMBERS = np.array(checks.telling_data(12))
WHOLE = NUMBERS.astype(int)
"""The same numbers as integers: their means are not."""
PAIR = np.array(checks.telling_data(2))
SEEDS = range(44)


def _boot(
    n_boot: int = N_BOOT,
    seed: int = 0,
    n: int = 2,
    *,
    pair: bool = False,
    whole: bool = False,
    last: bool = True,
) -> Step:
    x, words = (PAIR, "x of 2 numbers") if pair else (NUMBERS, "x")
    if whole:
        x, words = WHOLE, "x of integers"
    return steps.call(
        "bootstrap_means",
        x,
        words=words,
        n_boot=n_boot,
        seed=seed,
        n_processes=n,
        last=last,
    )


def _pi(n_draws: int = N_DRAWS, seed: int = 0, n: int = 2, *, last: bool = True) -> Step:
    return steps.call("estimate_pi", n_draws, seed=seed, n_processes=n, last=last)


PLAIN = (_boot(),)
PLAIN_PI = (_pi(),)
OTHERS = {
    "bootstrap_means": (_boot(n=3, last=False), _boot(n=1, last=False), _boot(n=2)),
    "estimate_pi": (_pi(n=3, last=False), _pi(n=1, last=False), _pi(n=2)),
}
"""The seed of the plainest calls with other numbers of processes, and once more."""
CROWD = 24
"""More processes than most people make tasks."""
CROWDED = (_boot(n=CROWD), _pi(n=CROWD))
MUCH = {
    "bootstrap_means": (_boot(50_000, n=3, pair=True),),
    "estimate_pi": (_pi(6_000_000, n=3),),
}
"""More than anybody leaves to one task."""
NEXT = (_boot(seed=1, last=False), _boot(seed=1000, last=False), _boot(seed=2022))
PAIRS = (_boot(N_PAIRS, pair=True, last=False), _boot(N_PAIRS, seed=1, pair=True))
ROW = tuple(_pi(seed=seed, last=False) for seed in SEEDS)
STATE = (
    steps.inspection("random_state"),
    _boot(last=False),
    _pi(last=False),
    steps.inspection("random_state"),
)
FEW = (_boot(1, n=3), _boot(7, n=3, last=False), _pi(7, n=3, last=False))


@pytest.fixture(autouse=True)
def plain(student: Student) -> dict[str, Run]:
    """Make the plainest call of each function; make the longer plays in the background."""
    runs = {step.function: student.rely_on(step)[0] for step in (*PLAIN, *PLAIN_PI)}
    if student.start_method == "fork":
        student.prepare(ROW)
    return runs


@pytest.mark.criterion("interface")
@pytest.mark.start_methods("any")
def test_module_imports_and_has_the_functions(student: Student, assignment: Assignment) -> None:
    """The module imports without error or child process, and has the functions."""
    student.check(
        student.imported(), checks.imports_cleanly(), checks.has_functions(assignment.functions)
    )


@pytest.mark.criterion("results")
@pytest.mark.start_methods("any")
def test_bootstrap_means(student: Student, plain: dict[str, Run]) -> None:
    """bootstrap_means returns an array with the mean of each sample, drawn with replacement."""
    student.check(
        plain["bootstrap_means"], checks.comes_back(), checks.means_of_samples(12, N_BOOT)
    )
    (whole,) = student.play(_boot(whole=True))
    hint = "the mean of integers is a float: give the array of the means no dtype of x"
    student.check(whole, checks.means_of_samples(12, N_BOOT, hint=hint))


@pytest.mark.criterion("results")
@pytest.mark.start_methods("any")
def test_estimate_of_pi(student: Student, plain: dict[str, Run]) -> None:
    """estimate_pi returns a float near pi."""
    student.check(plain["estimate_pi"], checks.comes_back(), checks.estimates_pi(N_DRAWS))


@pytest.mark.criterion("reproducible", weight=2)
@pytest.mark.start_methods("fork", "spawn")
@pytest.mark.parametrize("name", OTHERS)
def test_number_of_processes_changes_nothing(
    student: Student, plain: dict[str, Run], name: str
) -> None:
    """With the same seed, 1, 2 and 3 processes return the same, and so does a second call."""
    *others, again = student.play(*OTHERS[name])
    student.check(
        plain[name], checks.same_streams(again), checks.same_streams(*others, what="processes")
    )


@pytest.mark.criterion("reproducible")
@pytest.mark.start_methods("any")
def test_many_processes_change_nothing(student: Student, plain: dict[str, Run]) -> None:
    """With the same seed, 24 processes return the same as two."""
    for step in CROWDED:
        (run,) = student.play(step)
        student.check(plain[run.function], checks.same_streams(run, what="processes"))


@pytest.mark.criterion("reproducible")
@pytest.mark.start_methods("any")
def test_start_method_changes_nothing(student: Student, plain: dict[str, Run]) -> None:
    """With the same seed, every start method returns the same."""
    elsewhere = student.elsewhere()
    for step in (*PLAIN, *PLAIN_PI):
        found = [each.rely_on(step)[0] for each in elsewhere]
        others = [run for run in found if run.ending is Ending.RETURNED]  # others: told elsewhere
        student.check(plain[step.function], checks.same_streams(*others, what="start method"))


@pytest.mark.criterion("reproducible")
@pytest.mark.start_methods("any")
def test_other_seeds_give_other_numbers(student: Student, plain: dict[str, Run]) -> None:
    """Another seed gives other numbers."""
    student.check(plain["bootstrap_means"], checks.seeds_matter(*student.play(*NEXT)))
    first, *others = student.play(*ROW)
    student.check(first, checks.seeds_matter(*others))


@pytest.mark.criterion("reproducible")
@pytest.mark.start_methods("any")
def test_global_generators_are_left_alone(student: Student) -> None:
    """The calling process has the same global generators of numpy and random as before."""
    before, *calls, after = student.play(*STATE)
    student.check(after, checks.leaves_global_state(before, *calls))


@pytest.mark.criterion("streams", weight=2)
@pytest.mark.start_methods("fork", "spawn")
def test_tasks_of_the_bootstrap_share_no_stream(student: Student, plain: dict[str, Run]) -> None:
    """No two tasks of bootstrap_means draw the same samples, in one call or with the next seed."""
    student.check(plain["bootstrap_means"], checks.streams_apart(12, *student.play(*NEXT)))


@pytest.mark.criterion("streams")
@pytest.mark.start_methods("any")
def test_streams_do_not_overlap(student: Student) -> None:
    """No stream of bootstrap_means runs into another one, in one call or with the next seed."""
    run, other = student.play(*PAIRS)
    student.check(run, checks.no_overlap(other))


@pytest.mark.criterion("streams")
@pytest.mark.start_methods("any")
def test_tasks_of_the_estimate_share_no_stream(student: Student) -> None:
    """No two tasks of estimate_pi draw the same points, in one call or with the next seed."""
    first, *others = student.play(*ROW)
    student.check(first, checks.points_apart(N_DRAWS, *others))


@pytest.mark.criterion("workers")
@pytest.mark.start_methods("fork", "spawn")
@pytest.mark.parametrize("name", OTHERS)
def test_child_processes_do_the_work(student: Student, name: str) -> None:
    """As many child processes do the work as n_processes says."""
    three, one, _ = student.play(*OTHERS[name])
    student.check(three, checks.follows_n_processes(3, one))
    if _has_one_child(three):  # there may have been one task only, for which one process will do
        much = student.play(*MUCH[name])[0]
        student.check(much, checks.follows_n_processes(3, least=2))


def _has_one_child(run: Run) -> bool:
    children = [each for each in run.trace.processes if not each.helper and each.first >= 0]
    return run.ending is Ending.RETURNED and len(children) == 1


@pytest.mark.criterion("workers")
@pytest.mark.start_methods("fork", "spawn")
@pytest.mark.parametrize("name", OTHERS)
def test_nothing_is_left(student: Student, plain: dict[str, Run], name: str) -> None:
    """When a call returns, no process, thread, pipe or semaphore of it is left."""
    row = student.play(*OTHERS[name])[-1]
    student.check(plain[name], checks.no_leftovers(), checks.nothing_else_left(row=row))


@pytest.mark.criterion("start_methods")
def test_start_method(student: Student, plain: dict[str, Run]) -> None:
    """Both functions work under this start method, use it, and leave it unchanged."""
    for run in plain.values():
        student.check(run, checks.works_under_start_method(), checks.uses_the_default())


@pytest.mark.criterion("edge")
@pytest.mark.start_methods("any")
def test_few_samples_and_draws(student: Student) -> None:
    """One sample, and seven samples or draws for three processes, are as many as asked for."""
    one, seven, draws = student.play(*FEW)
    hint = "tasks have different sizes where n_boot cannot be divided by their number"
    student.check(one, checks.means_of_samples(12, 1, Concern.EDGE, hint=hint))
    student.check(seven, checks.means_of_samples(12, 7, Concern.EDGE, hint=hint))
    student.check(draws, checks.estimates_pi(7, Concern.EDGE))
