"""A sequential test of how much slower than the reference a submission is. Pure.

The times come as pairs: own and reference, measured in turn. Each pair is compressed to ``d =
tanh(log(own / (factor * theirs)) / 2)``. This lies between -1 and 1 however noisy the pair is. It
is 0 where the own time is *factor* times the reference's. It is spread symmetrically about 0 if the
logarithm of the ratio is spread symmetrically about that of *factor*. Points are taken only when
the lower end of Student's t interval for the mean of d is above 0: load widens the interval and
does not move it. `decided` is called after each pair. See docs/timing.md, test.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev

from pytest_mpgrade.records import Pair, SpeedRules

ENOUGH_TO_TAKE, ENOUGH_TO_GIVE = 5, 4
"""The least number of pairs before points are taken, and before full points end the test."""
CONFIDENCE = "99.9 %"
_T = (
    318.309,
    22.327,
    10.215,
    7.173,
    5.893,
    5.208,
    4.785,
    4.501,
    4.297,
    4.144,
    4.025,
    3.930,
    3.852,
    3.787,
    3.733,
    3.686,
    3.646,
    3.610,
    3.579,
    3.552,
    3.527,
    3.505,
    3.485,
    3.467,
    3.450,
    3.435,
    3.421,
    3.408,
    3.396,
    3.385,
)
"""Quantiles (0.999) of Student's t distribution with 1, 2, … degrees of freedom.

From the NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2.
"""


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """The submission's time divided by the reference's, over some pairs."""

    estimate: float  # median over the pairs
    bound: float  # the ratio is at least this, with CONFIDENCE; 0.0: nothing is known
    own: float  # medians, seconds
    theirs: float
    pairs: int


def ratio(times: Sequence[tuple[float, float]]) -> Ratio:
    """Return the ratio of ``(own, theirs)`` times, with a lower bound of 99.9 % confidence.

    Differences of two noisy times can be negative. A pair in which neither time is above 0 says
    nothing and is left out.
    """
    telling = _telling(times)
    if not telling:
        return Ratio(estimate=1.0, bound=0.0, own=0.0, theirs=0.0, pairs=0)
    return Ratio(
        estimate=_estimate(telling),
        bound=_largest(lambda factor: _low(telling, factor) > 0),
        own=median(own for own, _ in telling),
        theirs=median(theirs for _, theirs in telling),
        pairs=len(telling),
    )


def _telling(times: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    return [(own, theirs) for own, theirs in times if max(own, theirs) > 0]


def _estimate(times: Sequence[tuple[float, float]]) -> float:
    return median(own / theirs if theirs > 0 else math.inf for own, theirs in times)


def _low(times: Sequence[tuple[float, float]], factor: float) -> float:
    return lower_bound([_compressed(own, factor * theirs) for own, theirs in times])


def _compressed(own: float, theirs: float) -> float:
    """Return ``tanh(log(own / theirs) / 2)``; 1 or -1 where one of them is not above 0."""
    if own <= 0 or theirs <= 0:
        return 1.0 if own > theirs else -1.0
    return (own - theirs) / (own + theirs)


def lower_bound(values: Sequence[float]) -> float:
    """Return the lower end of the one-sided 99.9 % interval for the mean, by Student's t.

    It is -inf for fewer than 2 values.
    """
    if len(values) < 2:
        return -math.inf
    quantile = _T[min(len(values) - 1, len(_T)) - 1]
    return fmean(values) - quantile * stdev(values) / math.sqrt(len(values))


def _largest(holds: Callable[[float], bool]) -> float:
    """Return the largest factor up to 1000 for which *holds* is true; 0.0 for none.

    What holds for a factor has to hold for all smaller ones.
    """
    low, high = -10.0, 10.0  # powers of two
    if not holds(2**low):
        return 0.0
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(2**middle) else (low, middle)
    return float(2**low)


@dataclass(frozen=True, kw_only=True)
class SpeedVerdict:
    """What the pairs say."""

    # "waiting", and "computing" and "polling" where the platform shows CPU times
    ratios: Mapping[str, Ratio]
    late: float  # seconds by which the workers start later than the reference's, median
    late_bound: float  # at least so much, with CONFIDENCE
    credit: float  # part of the points that is earned, 1.0 for all
    slow: tuple[str, ...]  # of "starting" and the names of ratios: what costs points
    unsure: tuple[str, ...]  # names whose estimate is slow, while the bound is not


def judge_pairs(pairs: Sequence[Pair], rules: SpeedRules) -> SpeedVerdict:
    """Judge all pairs that have been taken."""
    ratios = {name: ratio(row) for name, row in times_to_compare(pairs).items()}
    late = _late(pairs)
    late_bound = lower_bound(late) if len(late) >= ENOUGH_TO_TAKE else -math.inf
    later = median(late) if late else 0.0
    credits = {name: _credit(each, rules) for name, each in ratios.items()}
    credits["starting"] = 1.0
    if late_bound > rules.starting_seconds:
        credits["starting"] = _in_tenths(
            _falling(later, rules.starting_seconds, 2 * rules.starting_seconds)
        )
    seems = {name: each.estimate > rules.free for name, each in ratios.items()}
    seems["starting"] = later > rules.starting_seconds
    slow = _apart(name for name, credit in credits.items() if credit < 1)
    return SpeedVerdict(
        ratios=ratios,
        late=later,
        late_bound=late_bound,
        credit=min(credits.values()),
        slow=slow,
        unsure=_apart(
            name for name, seems_slow in seems.items() if seems_slow and credits[name] == 1
        ),
    )


def _apart(names: Iterable[str]) -> tuple[str, ...]:
    """Leave out "polling" where "computing" is there, of which it is a part."""
    given = tuple(names)
    return tuple(name for name in given if name != "polling" or "computing" not in given)


def times_to_compare(pairs: Sequence[Pair]) -> dict[str, list[tuple[float, float]]]:
    """Return the times to compare, own and reference, by name.

    Those that this platform does not show are left out.

    How fast a core computes can double from one call to the next, because of shared caches or a
    neighbour on the same core. This hides a parent that polls. The CPU time that a parent uses
    while tasks only wait is steady. So that time is also compared alone, as if all other work cost
    what it costs the reference.
    """
    computing = [pair.computing for pair in pairs if pair.computing]
    polling = [
        _polled(pair.polling, pair.computing) for pair in pairs if pair.computing and pair.polling
    ]
    rows = {"waiting": [pair.waiting for pair in pairs], "computing": computing, "polling": polling}
    return {name: row for name, row in rows.items() if row}


def _polled(polling: tuple[float, float], computing: tuple[float, float]) -> tuple[float, float]:
    return computing[1] + polling[0] - polling[1], computing[1]


def _late(pairs: Sequence[Pair]) -> list[float]:
    return [own - theirs for own, theirs in (pair.starting for pair in pairs)]


def _credit(measured: Ratio, rules: SpeedRules) -> float:
    """Return the part of the points that a ratio earns.

    It is 1 unless the lower bound is above what is free. Then it falls with the estimate, which is
    above what is free then, too, or nearly.
    """
    if measured.pairs < ENOUGH_TO_TAKE or measured.bound <= rules.free:
        return 1.0
    return _in_tenths(_falling(measured.estimate, rules.free, rules.lost))


def _in_tenths(credit: float) -> float:
    """Round up to tenths, and to 0.9 at most.

    Two measurements of one program should not differ in the hundredths.
    """
    return min(0.9, math.ceil(10 * credit - 1e-9) / 10)


def _falling(value: float, full: float, none: float) -> float:
    return min(1.0, max(0.0, (none - value) / (none - full)))


def decided(pairs: Sequence[Pair], rules: SpeedRules) -> bool:
    """Tell whether no further pair can be expected to change the verdict."""
    half = math.sqrt(rules.free)
    late = _late(pairs)
    rows = [telling for row in times_to_compare(pairs).values() if (telling := _telling(row))]
    if any(len(row) >= ENOUGH_TO_TAKE and _low(row, rules.free) > 0 for row in rows):
        return True
    if len(pairs) >= ENOUGH_TO_TAKE and lower_bound(late) > rules.starting_seconds:
        return True
    near = (
        all(_estimate(row) <= half for row in rows) and median(late) <= rules.starting_seconds / 2
    )
    return len(pairs) >= ENOUGH_TO_GIVE and near
