"""Checks of random numbers in child processes: reproducible, and a stream of its own for each task.

Streams are compared by what was drawn from them, and this is read off the results. A bootstrap mean
of `telling_data` gives away its sample, and an estimate of pi the number of points in the circle.
So nothing is believed that the student's process says of its generators.

Each rule that compares draws has a bound on the chance that independent streams break it, which
follows from the distribution of the draws alone. The bounds are at most `CHANCE`. How streams of
their own are made: https://numpy.org/doc/stable/reference/random/parallel.html
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pytest_mpgrade.judge.attribution import not_returned
from pytest_mpgrade.judge.check import PASSED, Verdict, failed, fault, undecided
from pytest_mpgrade.judge.definition import check
from pytest_mpgrade.records import Concern, Ending, Run

CHANCE = 1e-10
"""The most probable a verdict against independent streams may be: one in ten thousand millions."""
SPAWN = (
    "make a stream for each task, whatever the number of processes: numpy.random.SeedSequence(seed)"
    ".spawn(number of tasks), and default_rng(child) in the task"
)
"""A hint for streams that are shared, or that depend on the number of processes."""
_OF_THE_MEANS = "means_of_samples"


def telling_data(n: int) -> list[float]:
    """Return *n* numbers; the mean of any *n* of them, repeated or not, gives away which these are.

    They are powers of n + 1, so that the sum has the number of times that each was drawn as its
    digits. Up to *n* = 12 a float has room for them, however the mean is computed.
    """
    return [float((n + 1) ** i) for i in range(n)]


def sample_of(mean: float, n: int) -> tuple[int, ...] | None:
    """Return how often each of the `telling_data` was drawn; None for the mean of no *n* draws."""
    total = round(mean * n) if math.isfinite(mean) else -1
    if total < 0 or abs(mean * n - total) > 0.2:
        return None
    counts = tuple(total // (n + 1) ** i % (n + 1) for i in range(n))
    told = sum(counts) == n and total < (n + 1) ** n
    return counts if told else None


def _means(run: Run) -> list[float] | None:
    """Return the values of a one-dimensional array of floats; None for anything else."""
    value = run.value
    array = type(value).__name__ == "ndarray" and value.ndim == 1 and value.dtype.kind == "f"
    return [float(mean) for mean in value.tolist()] if array else None


def _samples(run: Run, n: int) -> list[tuple[int, ...]] | None:
    """Return all samples of a run; None where it did not return means of samples."""
    means = _means(run) if run.ending is Ending.RETURNED else None
    found = [sample_of(mean, n) for mean in means or ()]
    told = [sample for sample in found if sample is not None]
    return told if told and len(told) == len(found) else None


@check(title="returns an array with the mean of each bootstrap sample", hint="{hint}")
def means_of_samples(
    run: Run,
    n: int,
    n_boot: int,
    concern: Concern = Concern.RESULTS,
    *,
    hint: str = "",  # noqa: ARG001 - the decorator reads it
) -> Verdict:
    """An array of *n_boot* floats comes back, each the mean of *n* draws with replacement.

    The check needs a run of `bootstrap_means` with `checks.telling_data(n)`. It fails when
    something else came back, and when all samples have each number once, or a number is in none,
    where independent draws do so with a probability of at most 1e-10. A call that did not come back
    is left to the check that it belongs to; with the concern `edge` it fails here.
    """
    wrong = not_returned(run, concern, owns_all=concern is Concern.EDGE)
    if wrong is not None:
        return wrong
    means = _means(run)
    if means is None or len(means) != n_boot:
        seen = _shape(run.value) if means is None else f"an array of {len(means)}"
        return failed(
            f"{run.call} returned {seen}, not an array of {n_boot} floats", symptom="values"
        )
    samples = [sample_of(mean, n) for mean in means]
    if None in samples:
        place = samples.index(None)
        return failed(
            f"value {place} is {means[place]!r}, which is the mean of no {n} of the given numbers",
            hint=f"draw {n} of the {n} numbers with replacement, and take their mean",
            symptom="values",
        )
    told = [sample for sample in samples if sample is not None]
    return _drawn_fairly(told, n)


def _drawn_fairly(samples: Sequence[tuple[int, ...]], n: int) -> Verdict:
    """Judge whether draws are with replacement, and from all numbers.

    A sample has each number once with the probability n! / n^n, and one number is in none of all
    draws with a probability of at most n (1 - 1/n)^draws.
    """
    once = _likeliest(n) ** len(samples)
    if once <= CHANCE and all(set(sample) == {1} for sample in samples):
        return failed(
            "every sample has each number once, so all means are the same",
            hint="draw with replacement: rng.choice(x, size=len(x)), or rng.integers(0, len(x), …)",
            symptom="values",
        )
    never = [i for i in range(n) if not any(sample[i] for sample in samples)]
    chance = n * (1 - 1 / n) ** (n * len(set(samples)))  # equal ones may be of a shared stream
    if never and chance <= CHANCE:
        return failed(
            f"item {never[0]} of {n} is in none of {len(samples)} samples",
            hint="draw indices from 0 up to and including len(x) - 1",
            symptom="values",
        )
    return PASSED


def _shape(value: Any) -> str:
    if type(value).__name__ == "ndarray":
        return f"an array of {value.dtype}, shape {value.shape}"
    kind = type(value).__name__
    return f"a {kind} of {len(value)}" if isinstance(value, (list, tuple)) else repr(value)[:60]


def _untold(run: Run, n: int) -> Verdict:
    """Return that `means_of_samples` fails for it: a run shows no samples."""
    seen = f"{run.call} did not return means of samples of the {n} numbers"
    return undecided(seen, _OF_THE_MEANS, fault(Concern.RESULTS, seen, symptom="values"))


@check(title="no two tasks draw from the same stream", concern=Concern.RNG, hint=SPAWN)
def streams_apart(run: Run, n: int, *others: Run) -> Verdict:
    """No more bootstrap samples are equal than chance explains, in one call or over several.

    The probability that a sample is equal to one of the i before it is at most i p, where p = n! /
    n^n is that of the likeliest sample. So at least m samples repeat an earlier one with a
    probability of at most S^m / m!, where S is the sum of all i p. The check allows the largest
    number for which that is above 1e-10. Streams that two tasks share repeat whole tasks.

    The check needs a run of `bootstrap_means` with `checks.telling_data(12)` for *n* = 12, and
    *others* with other seeds. It fails when more samples repeat earlier ones. It blames
    `means_of_samples` when the values are no means of samples. A call that did not come back is
    left to the check that it belongs to.
    """
    seen: dict[tuple[int, ...], tuple[Run, int]] = {}
    repeated: list[str] = []
    for each in (run, *others):
        wrong = not_returned(each, Concern.RNG)
        if wrong is not None:
            return wrong
        samples = _samples(each, n)
        if samples is None or _drawn_fairly(samples, n) is not PASSED:
            return _untold(each, n)
        for place, sample in enumerate(samples):
            first = seen.setdefault(sample, (each, place))
            if first != (each, place):
                repeated.append(_place(*first, each, place))
    count = sum(len(_samples(each, n) or ()) for each in (run, *others))
    if len(repeated) <= _by_chance(count, n):
        return PASSED
    where = run.call + "".join(f" and {other.call}" for other in others)
    return failed(
        f"{len(repeated)} of {count} samples of {where} repeat an earlier one: {repeated[-1]}",
        repeated=repeated[:3],
        symptom="random numbers",
    )


def _likeliest(n: int) -> float:
    """Return the probability of the sample that has each of *n* numbers once, the likeliest."""
    return float(math.factorial(n)) / float(n) ** n


def _place(first: Run, at: int, run: Run, place: int) -> str:
    of = "" if first is run else f" of {first.call}"
    return f"sample {place} is sample {at}{of}"


def _by_chance(count: int, n: int) -> int:
    """Return how many of *count* samples may repeat an earlier one; see `streams_apart`."""
    expected = count * (count - 1) / 2 * _likeliest(n)
    allowed = 0
    while expected ** (allowed + 1) / math.factorial(allowed + 1) > CHANCE:
        allowed += 1
    return allowed


@check(title="no stream overlaps another", concern=Concern.RNG, hint=SPAWN)
def no_overlap(run: Run, *others: Run) -> Verdict:
    """No run of draws occurs twice, at whatever distance, in one call or over several.

    Each sample of two numbers is known by its mean, which is any value with a probability of at
    most 1/2, whatever was drawn before. So one given pair of places begins a common run of L
    samples with a probability of at most 2^-L, and L is such that all pairs together have at most
    1e-10. NumPy's PCG64 makes one such sample of each 64-bit output, so that streams which overlap
    by any number of outputs have a common run.

    The check needs a run of `bootstrap_means` with `checks.telling_data(2)`, and *others* with
    other seeds. It fails when a run of L samples occurs twice. It blames `means_of_samples` when
    the values are no means of samples. A call that did not come back is left to the check that it
    belongs to.
    """
    rows = []
    for each in (run, *others):
        wrong = not_returned(each, Concern.RNG)
        if wrong is not None:
            return wrong
        samples = _samples(each, 2)
        if samples is None:
            return _untold(each, 2)
        rows.append(samples)
    count = sum(map(len, rows))
    length = math.ceil(math.log2(count * (count - 1) / 2 / CHANCE))
    seen: dict[tuple[tuple[int, ...], ...], tuple[int, int]] = {}
    for number, row in enumerate(rows):
        for place in range(len(row) - length + 1):
            window = tuple(row[place : place + length])
            first = seen.setdefault(window, (number, place))
            if first != (number, place):
                return _overlap((run, *others), first, (number, place), length)
    return PASSED


def _overlap(
    runs: Sequence[Run], first: tuple[int, int], second: tuple[int, int], length: int
) -> Verdict:
    of = [f"{runs[number].call} from sample {place} on" for number, place in (first, second)]
    said = failed(
        f"{length} samples in a row occur twice: in {of[0]}, and in {of[1]}",
        symptom="random numbers",
    )
    values = {each for number, _ in (first, second) for each in _means(runs[number]) or ()}
    if len(values) > 1:
        return said
    seen = f"all samples of {runs[first[0]].call} are the same"
    return undecided(seen, _OF_THE_MEANS, said, explained="values")
