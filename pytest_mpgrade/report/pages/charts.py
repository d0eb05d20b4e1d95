"""Charts as static SVG; the only user of leather.

A chart has no style, script or address in it, only elements and attributes. The page's own style
gives it the colours of the page. Each has a sentence for those who cannot see it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import leather
from markupsafe import Markup

from pytest_mpgrade.system.text import counted, points

_WIDTH, _HEIGHT = 640, 260
"""Units of a chart's own; the page scales it to the room that there is."""
_BINS = 10
"""Columns of a distribution."""
_HIGHEST = 3.0
"""Ratios above it are drawn at it: one pair of a busy machine must not flatten all others."""
_COLOURS = ("var(--first)", "var(--second)", "var(--third)")
_LONG_NUMBER = re.compile(r"(\d+\.\d)\d{3,}")
"""A position with more digits than can be seen; labels of ours have two at most."""


def distribution(scores: Sequence[float], most: float) -> Markup:
    """Return how many submissions have how many points."""
    width = most / _BINS or 1.0
    counts = [0] * _BINS
    for score in scores:
        counts[min(int(score / width + 1e-9), _BINS - 1)] += 1
    chart = leather.Chart()
    names = [points(round(width * number, 2)) for number in range(_BINS + 1)]
    rows = [(f"{names[i]}–{names[i + 1]}", count) for i, count in enumerate(counts)]
    chart.add_columns(rows, fill_color=_COLOURS[0])
    tallest = max([*counts, 1])
    ticks = sorted({0, tallest // 2, tallest})
    chart.add_y_scale(0, tallest)
    chart.add_y_axis(ticks=ticks)
    said = "; ".join(f"{name}: {count}" for name, count in rows if count)
    return _svg(chart, f"Points of {counted(len(scores), 'submission')}. {said or 'none'}")


def scaling_plot(seconds: Mapping[int, float], fraction: float) -> Markup:
    """Return the seconds by the number of processes, beside ideal and fitted times.

    *fraction* is the serial fraction that was fitted to them.
    """
    first = next(iter(seconds.values())) * next(iter(seconds))
    numbers = sorted(seconds)
    chart = leather.Chart()
    ideal = [(n, first / n) for n in numbers]
    fitted = [(n, first * (fraction + (1 - fraction) / n)) for n in numbers]
    _dashed(chart, ideal, "ideal: 1 / n", _COLOURS[1], "2 4")
    _dashed(chart, fitted, f"serial fraction {fraction:.2f}", _COLOURS[2], "8 4")
    chart.add_dots([(n, seconds[n]) for n in numbers], name="yours", fill_color=_COLOURS[0])
    chart.add_x_scale(0, max(numbers) + 1)
    chart.add_x_axis(ticks=numbers, name="processes")
    chart.add_y_scale(0, 1.1 * max(*seconds.values(), *(t for _, t in fitted)))
    chart.add_y_axis(name="seconds")
    said = "; ".join(f"{n} processes: {seconds[n]:.2f} s" for n in numbers)
    return _svg(chart, f"Seconds by the number of processes. {said}")


def pairs_plot(pairs: Sequence[tuple[float, float]], free: float, lost: float) -> Markup:
    """Return for each pair the submission's time as a multiple of the reference's.

    Lines show up to where it is *free*, and from where on all points are *lost*.
    """
    ratios = [
        min(own / theirs, _HIGHEST) if own > 0 and theirs > 0 else _HIGHEST * (own > theirs)
        for own, theirs in pairs
    ]
    chart = leather.Chart()
    ends = (0.5, len(ratios) + 0.5)
    _dashed(chart, [(x, free) for x in ends], f"free: {free:g}x", _COLOURS[1], "2 4")
    _dashed(chart, [(x, lost) for x in ends], f"all lost: {lost:g}x", _COLOURS[2], "8 4")
    chart.add_dots([*enumerate(ratios, 1)], name="a pair", fill_color=_COLOURS[0], radius=5)
    chart.add_x_scale(*ends)
    chart.add_x_axis(ticks=[*range(1, len(ratios) + 1)], name="pair")
    chart.add_y_scale(0, max(1.2 * max(*ratios, 0), 1.2 * lost))
    chart.add_y_axis(name="times the reference")
    said = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    return _svg(chart, f"Your time as a multiple of the reference's, pair by pair: {said}")


def _dashed(
    chart: leather.Chart,
    places: Sequence[tuple[float, float]],
    name: str,
    colour: str,
    dashes: str,
) -> None:
    """Add a line that is known by its dashes too, and not by its colour alone."""
    chart.add_line(places, name=name, stroke_color=colour, stroke_dasharray=dashes)


def _svg(chart: leather.Chart, label: str) -> Markup:
    """Return a chart that fills its place, with its sentence; positions to a tenth of a pixel."""
    drawn = _LONG_NUMBER.sub(r"\1", chart.to_svg(width=_WIDTH, height=_HEIGHT))
    inside = drawn[drawn.index(">") + 1 :]
    head = Markup('<svg class="chart" role="img" viewBox="0 0 {} {}" aria-label="{}">')
    return head.format(_WIDTH, _HEIGHT, label) + Markup(inside)  # noqa: S704 - numbers of ours
