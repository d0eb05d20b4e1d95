"""From moments to places along a drawing: one scale for all timelines that are drawn together.

A call does most of what it does within milliseconds, and then hangs for a second. On an even scale
all that matters would be one spot. So the way between two moments grows with the square root of the
time between them: the order is kept, longer stays longer, and what lies close can be told apart.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pytest_mpgrade.records import Timeline

_CLOSE = 1e-4
"""Seconds: moments that are closer are drawn in one place. Times are kept as exactly as that."""


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Places, from 0.0 to 1.0, of moments in the order of time."""

    moments: Sequence[float]
    places: Sequence[float]

    def place(self, at: float) -> float:
        """Return the place of a moment, from 0.0 to 1.0."""
        if at <= self.moments[0]:
            return 0.0
        if at >= self.moments[-1]:
            return 1.0
        right = bisect.bisect_right(self.moments, at)
        before, after = self.moments[right - 1], self.moments[right]
        part = (at - before) / (after - before)
        return self.places[right - 1] + part * (self.places[right] - self.places[right - 1])


def common_scale(timelines: Sequence[Timeline]) -> Scale:
    """Return the scale on which these timelines can be compared."""
    moments = _distinct(at for each in timelines for at in _moments(each))
    if len(moments) < 2:
        moments = [0.0, max([1.0, *moments])]
    ways = [math.sqrt(after - before) for before, after in pairwise(moments)]
    total, places = sum(ways), [0.0]
    for way in ways:
        places.append(places[-1] + way / total)
    return Scale(moments=moments, places=places)


def _moments(timeline: Timeline) -> Iterable[float]:
    yield 0.0
    yield timeline.end
    for moment in timeline.moments:
        yield moment.at
    for lane in timeline.lanes:
        for span in lane.spans:
            yield from (span.start, span.end)
        for mark in lane.marks:
            yield mark.at


def _distinct(moments: Iterable[float]) -> list[float]:
    kept: list[float] = []
    for at in sorted(moments):
        if at >= 0.0 and (not kept or at - kept[-1] >= _CLOSE):
            kept.append(at)
    return kept


def ticks(scale: Scale, apart: float) -> list[float]:
    """Return round moments for the axis, from coarse to fine; each at least *apart* from others."""
    end = scale.moments[-1]
    chosen = [0.0]
    power = math.ceil(math.log10(end)) if end > 0 else 0
    for step in (
        base * 10.0**exponent for exponent in range(power, power - 4, -1) for base in (5, 2, 1)
    ):
        for number in range(1, min(int(end / step), 10) + 1):
            at = round(number * step, 6)
            place = scale.place(at)
            if place <= 1.0 and all(abs(place - scale.place(other)) >= apart for other in chosen):
                chosen.append(at)
    return sorted(chosen)


def seconds_words(at: float) -> str:
    """Return a moment as the axis and the lists have it: "0.15 s", "12 ms"."""
    if at and abs(at) < 0.0995:
        return f"{1000 * at:.3g} ms"
    return f"{at:.3g} s"
