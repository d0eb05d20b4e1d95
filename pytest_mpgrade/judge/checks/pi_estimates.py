"""Checks of estimates of pi, of which each gives away how many of its points are in the circle."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from pytest_mpgrade.judge.attribution import not_returned
from pytest_mpgrade.judge.check import PASSED, Verdict, failed, fault, undecided
from pytest_mpgrade.judge.checks.streams import CHANCE, SPAWN
from pytest_mpgrade.judge.definition import check
from pytest_mpgrade.records import Concern, Run


@check(title="returns an estimate of pi", hint="{hint}")
def estimates_pi(
    run: Run,
    n_draws: int,
    concern: Concern = Concern.RESULTS,
    *,
    others: Sequence[Run] = (),
    hint: str = "4 times the share of points in the unit square with x**2 + y**2 <= 1",  # noqa: ARG001 - the decorator reads it
) -> Verdict:
    """A float comes back that is near pi.

    Near is within 4 sqrt(ln(2 / 1e-10) / n_draws). A mean of *n_draws* independent values between 0
    and 4 is farther away with a probability of at most 1e-20, by Hoeffding's inequality, which
    leaves room for means of means. *others*, with other seeds, count as further draws: few draws of
    one call may be anywhere, but not those of many calls.

    The check needs a run of `estimate_pi` with *n_draws*. It fails when something else came back. A
    call that did not come back is left to the check that it belongs to; with the concern `edge` it
    fails here.
    """
    values: list[float] = []
    for each in (run, *others):
        wrong = not_returned(each, concern, owns_all=concern is Concern.EDGE)
        if wrong is not None:
            return wrong
        if not isinstance(each.value, float):
            words = f"{each.call} returned {repr(each.value)[:60]}, not a float"
            return failed(words, symptom="values")
        values.append(each.value)
    estimate = math.fsum(values) / len(values)
    margin = 4 * math.sqrt(math.log(2 / CHANCE) / (n_draws * len(values)))
    if abs(estimate - math.pi) <= margin:
        return PASSED
    calls = f"{len(values)} calls such as {run.call} returned, in the mean," if others else ""
    return failed(
        f"{calls or f'{run.call} returned'} {estimate!r}; pi is {math.pi:.5f}, and {margin:.2g}"
        " are free",
        symptom="values",
    )


@check(title="each task of estimate_pi draws points of its own", concern=Concern.RNG, hint=SPAWN)
def points_apart(run: Run, n_draws: int, *others: Run) -> Verdict:
    """The points of a call are no copies of each other, nor are those of calls with other seeds.

    Tasks that draw the same points count the same: then the counts of all calls have a common
    divisor above 1, which m independent counts have with a probability of at most the sum of q^-m
    over all primes q, with a hundredth on top, as a count is any residue with a probability of
    nearly 1/q. Calls whose seeds follow each other, and which share all tasks but one, have counts
    that hardly differ: that the sum of the squares of m - 1 differences is at most s has a
    probability of at most (c sqrt(pi s))^(m - 1) / gamma((m + 1) / 2), the points with integer
    coordinates in a ball, each of probability c at most, which is that of the likeliest count. Both
    are at most 1e-10.

    The check needs runs of `estimate_pi` with *n_draws* and seeds that follow each other, 40 or
    more. It fails when the counts show one of the two. It passes where estimates are no multiples
    of 4 / *n_draws*, as means of unequal parts are none. It blames `estimates_pi` when something
    else than floats came back. A call that did not come back is left to the check that it belongs
    to.
    """
    counts: list[int] = []
    for each in (run, *others):
        wrong = not_returned(each, Concern.RNG)
        if wrong is not None:
            return wrong
        if not isinstance(each.value, float) or not math.isfinite(each.value):
            seen = f"{each.call} returned no float"
            return undecided(seen, "estimates_pi", fault(Concern.RESULTS, seen, symptom="values"))
        share = each.value * n_draws / 4
        if abs(share - round(share)) > 1e-4:
            return PASSED
        counts.append(round(share))
    tasks = math.gcd(*counts)
    calls = f"{len(counts)} calls such as {run.call}"
    if tasks > 1:
        words = f"the numbers of points in the circle of {calls} are all multiples of {tasks}"
        return failed(
            f"{words}: the points of {tasks} tasks are the same", symptom="random numbers"
        )
    if _alike(counts, n_draws):
        return failed(
            f"{calls} hardly differ from seed to seed: they share most of their points",
            hint="seed + i of one call is seed + i - 1 of the next seed: use SeedSequence.spawn()",
            symptom="random numbers",
        )
    return PASSED


def _alike(counts: Sequence[int], n_draws: int) -> bool:
    """Tell whether counts differ less than independent ones would; see `points_apart`."""
    steps = len(counts) - 1
    squares = max(1, sum((b - a) ** 2 for a, b in pairwise(counts)))
    share = math.pi / 4
    likeliest = 1.01 / math.sqrt(2 * math.pi * n_draws * share * (1 - share))
    room = steps * math.log(likeliest * math.sqrt(math.pi * squares)) - math.lgamma(steps / 2 + 1)
    return room <= math.log(CHANCE)
