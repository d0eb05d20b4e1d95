"""Checks of random numbers, on draws of NumPy's generators: independent streams pass, shared ones
do not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from pytest_mpgrade import checks
from pytest_mpgrade.inside import plain_data
from pytest_mpgrade.judge.check import Check
from pytest_mpgrade.judge.checks.streams import sample_of
from pytest_mpgrade.judge.examples.runs import made
from pytest_mpgrade.records import Concern, Ending, Finding, Outcome, Run

TASKS, N_DRAWS, CALLS = 5, 600_000, 44
Generators = Callable[[int], Iterable[np.random.Generator]]


def spawned(seed: int) -> list[np.random.Generator]:
    """Return a generator for each task, as they should be."""
    return [np.random.default_rng(each) for each in np.random.SeedSequence(seed).spawn(TASKS)]


def same(seed: int) -> list[np.random.Generator]:
    """Return generators that all begin alike."""
    return [np.random.default_rng(seed) for _ in range(TASKS)]


def counted_up(seed: int) -> list[np.random.Generator]:
    """Return generators of the seeds seed + i."""
    return [np.random.default_rng(seed + i) for i in range(TASKS)]


def too_close(seed: int) -> list[np.random.Generator]:
    """Return generators on one stream, of which each begins 7 outputs after the one before."""
    return [np.random.Generator(np.random.PCG64(seed).advance(7 * i)) for i in range(TASKS)]


def boot(generators: Generators, seed: int, n: int = 12, n_boot: int = 100) -> Run:
    """Return a call of bootstrap_means whose tasks draw from these generators."""
    x = np.array(checks.telling_data(n))
    size = (n_boot // TASKS, n)
    means = np.concatenate([rng.choice(x, size).mean(axis=1) for rng in generators(seed)])
    call = f"bootstrap_means(x, n_boot={n_boot}, seed={seed})"
    return made(call, tasked=False, encoded=plain_data.encode(means))


def pi(counts: Sequence[int]) -> list[Run]:
    """Return calls of estimate_pi with these numbers of points in the circle."""
    return [
        made(f"estimate_pi({N_DRAWS}, seed={seed})", encoded=plain_data.encode(4 * n / N_DRAWS))
        for seed, n in enumerate(counts)
    ]


def points(generators: Generators, tasks: int = TASKS) -> list[int]:
    """Return the points in the circle of calls with seeds that follow each other."""
    part = N_DRAWS // tasks
    return [
        sum(int(rng.binomial(part, np.pi / 4)) for rng in generators(seed)) for seed in range(CALLS)
    ]


def judged(check: Check, run: Run) -> Finding:
    """Return what a check says of a run."""
    return check(run)


@pytest.mark.parametrize("seed", range(0, 400, 2))
def test_independent_streams_pass(seed: int) -> None:
    """Streams of their own are never taken for shared ones."""
    run, other = boot(spawned, seed), boot(spawned, seed + 1)
    assert judged(checks.means_of_samples(12, 100), run).outcome is Outcome.PASSED
    assert judged(checks.streams_apart(12, other), run).outcome is Outcome.PASSED
    run, other = (boot(spawned, each, 2, 400) for each in (seed, seed + 1))
    assert judged(checks.no_overlap(other), run).outcome is Outcome.PASSED


@pytest.mark.parametrize("generators", [same, counted_up], ids=lambda each: str(each.__name__))
def test_shared_streams_fail(generators: Generators) -> None:
    """Tasks that begin alike, and tasks that are those of the next seed, repeat samples."""
    finding = judged(checks.streams_apart(12, boot(generators, 1)), boot(generators, 0))
    assert (finding.outcome, finding.concern) == (Outcome.FAILED, Concern.RNG)
    assert "repeat an earlier one: sample " in finding.message


def test_overlapping_streams_fail() -> None:
    """Streams that run into each other at any distance have a run of samples in common."""
    finding = judged(checks.no_overlap(), boot(too_close, 0, 2, 400))
    assert "samples in a row occur twice" in finding.message
    assert judged(checks.streams_apart(12), boot(too_close, 0)).outcome is Outcome.PASSED


def test_counts_of_points() -> None:
    """Points that tasks share, in one call or over the seeds, show in the counts of many calls."""
    first, *others = pi(points(spawned))
    assert judged(checks.points_apart(N_DRAWS, *others), first).outcome is Outcome.PASSED
    first, *others = pi([TASKS * int(spawned(n)[0].binomial(120_000, 0.785)) for n in range(CALLS)])
    assert "multiples of 5" in judged(checks.points_apart(N_DRAWS, *others), first).message
    each = [int(np.random.default_rng(n).binomial(6_000, np.pi / 4)) for n in range(CALLS + 100)]
    first, *others = pi([sum(each[seed : seed + 100]) for seed in range(CALLS)])
    assert "hardly differ" in judged(checks.points_apart(N_DRAWS, *others), first).message


def test_means_of_unequal_parts_are_not_judged() -> None:
    """An estimate that is no multiple of 4 / n_draws tells no number of points, and is no fault."""
    first, *others = pi([471_239] * CALLS)
    odd = made("estimate_pi(…)", encoded=plain_data.encode(3.14159))
    assert judged(checks.points_apart(N_DRAWS, *others, odd), first).outcome is Outcome.PASSED


@pytest.mark.parametrize("n", [2, 5, 12])
def test_a_mean_gives_away_its_sample(n: int) -> None:
    """Whatever was drawn can be read off the mean, also where parts of it were divided first."""
    rng, x = np.random.default_rng(507), np.array(checks.telling_data(n))
    for _ in range(200):
        drawn = rng.integers(0, n, n)
        counts = tuple(np.bincount(drawn, minlength=n).tolist())
        assert sample_of(float(x[drawn].mean()), n) == counts
        assert sample_of(float(sum(x[drawn] / n)), n) == counts
    assert sample_of(float(x.sum() + 1) / n, n) is None
    assert sample_of(float("nan"), n) is None


def test_one_shared_sample_is_no_fault_of_the_values() -> None:
    """Where all samples are one, that numbers are in none of them is a matter of the streams."""

    def all_alike(seed: int) -> list[np.random.Generator]:
        return [np.random.default_rng(seed) for _ in range(100)]

    x = np.array(checks.telling_data(12))
    means = np.array([rng.choice(x, 12).mean() for rng in all_alike(0)])
    run = made("bootstrap_means(x, n_boot=100, seed=0)", encoded=plain_data.encode(means))
    assert judged(checks.means_of_samples(12, 100), run).outcome is Outcome.PASSED
    assert judged(checks.streams_apart(12), run).outcome is Outcome.FAILED


@pytest.mark.parametrize(
    ("encoded", "words"),
    [
        (["list", [["float", (1.0).hex()]] * 2], "returned a list of 2, not an array"),
        (plain_data.encode(np.ones((2, 1))), "an array of float64, shape (2, 1)"),
        (plain_data.encode(np.array([1, 1])), "an array of int64, shape (2,)"),
        (plain_data.encode(np.ones(3)), "an array of 3, not an array of 2"),
        (plain_data.encode(np.full(2, 0.3)), "the mean of no 12"),
        (plain_data.encode(np.array(["a", "b"])), "shape (2,)"),
        (["ndarray", "<f8", [2], "forged"], "not an array of 2 floats"),
    ],
    ids=range(7),
)
def test_what_is_no_array_of_means(encoded: list[object], words: str) -> None:
    """Anything but an array of means fails, and the message says what came back."""
    run = made("bootstrap_means(x, n_boot=2, seed=0)", encoded=encoded)
    finding = judged(checks.means_of_samples(12, 2), run)
    assert (finding.outcome, finding.concern) == (Outcome.FAILED, Concern.RESULTS)
    assert words in finding.message
    assert checks.streams_apart(12)(run).outcome is not Outcome.FAILED


def test_order_of_completion_is_told() -> None:
    """The same values in another order are said to be that."""
    run = boot(spawned, 0)
    other = made(run.call, encoded=plain_data.encode(run.value[::-1].copy()))
    finding = judged(checks.same_streams(other), run)
    assert finding.outcome is Outcome.FAILED
    assert "in another order" in finding.hint


def test_other_call_that_was_not_made_is_no_hang() -> None:
    """Where the call to compare with was not made, the check of the reason is named."""
    run = boot(spawned, 0)
    why = "estimate_pi() cannot be called"
    other = replace(run, ending=Ending.NOT_TRIED, because="has_functions", why=why)
    finding = checks.same_streams(other)(run)
    assert (finding.outcome, finding.undecided_by) == (Outcome.SKIPPED, "has_functions")
    assert finding.message == f"not tried: {why}"
    assert finding.instead is not None
    assert finding.instead.concern is Concern.IMPORT
