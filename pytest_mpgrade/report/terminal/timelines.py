"""Timelines of processes in a terminal: a line of signs for each process, also without colour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from pytest_mpgrade.records import Lane, SpanKind, Timeline
from pytest_mpgrade.report.parts import CheckPart, ResultFile
from pytest_mpgrade.report.terminal.page import Page
from pytest_mpgrade.report.timeline import timeline_groups
from pytest_mpgrade.report.timeline.scale import Scale, common_scale, ticks
from pytest_mpgrade.report.timeline.words import (
    KINDS,
    end_words,
    headline,
    moment_words,
    own_line_words,
    thread_words,
)
from pytest_mpgrade.system.text import one_line

_SIGNS: dict[SpanKind, tuple[str, str]] = {
    "starting": ("/", "dim"),
    "own": ("=", "blue"),
    "gate": ("#", "yellow"),
    "waiting": (".", "dim"),
    "ended": ("-", "dim"),
    "zombie": ("z", "bold red"),
    "alive": ("!", "bold red"),
}
"""The sign of each kind of a span, and its style."""
_BEGUN, _EXIT, _NOTHING = ("+", "bold blue"), ("x", "bold"), (" ", "")
"""The signs of a task that begins, of the end of a process, and of a time before or after it."""
_NAMES, _MOST = 14, 12
"""Columns for names; drawings that are shown. The result file has all."""


def timelines_text(
    result: ResultFile,
    width: int = 80,
    color: bool = False,
    checks: Sequence[CheckPart] = (),
) -> str:
    """Return the timelines of the failed checks of a result, or of *checks*; "" for none."""
    page = Page(width, color)
    groups = timeline_groups(result, checks)
    for number, group in enumerate(groups[:_MOST]):
        page.line("" if number else "Timelines: what each process did, and when")
        page.line((one_line(group.said), "bold"), hang=4)
        _draw(page, group.timelines, max(width, 40) - _NAMES - 4)
    if not groups:
        return ""
    if len(groups) > _MOST:
        page.line(f"… and {len(groups) - _MOST} more; see mpgrade show --timeline --question")
    page.line("")
    for line in _legend([each for group in groups[:_MOST] for each in group.timelines]):
        page.line((line, "dim"), indent=2)
    return page.text


def _draw(page: Page, timelines: Sequence[Timeline], columns: int) -> None:
    scale = common_scale(timelines)
    for timeline in timelines:
        page.line((headline(timeline), "bold"), indent=2)
        for moment in timeline.moments:
            if moment.kind not in ("called", "looked"):
                at = moment_words(moment.at, timeline.unit)
                page.line(f"{at}: {one_line(moment.text)}", indent=4, hang=4)
        for lane in timeline.lanes:
            _lane(page, lane, timeline, scale, columns)
        if timeline.more_lanes:
            page.line(f"… and {timeline.more_lanes} more processes", indent=4)
        page.line(_axis(scale, columns, timeline.unit), indent=4 + _NAMES)


def _lane(page: Page, lane: Lane, timeline: Timeline, scale: Scale, columns: int) -> None:
    signs = _signs(lane, scale, columns)
    runs = [
        ("".join(sign for sign, _ in same), style)
        for style, same in groupby(signs, key=lambda each: each[1])
    ]
    page.line(f"{one_line(lane.name)[: _NAMES - 1]:{_NAMES}}", *runs, indent=4)
    if lane.says:
        place = own_line_words(lane)
        page.line(one_line(lane.says), indent=4 + _NAMES, hang=2)
        if place:
            page.line((place, "cyan"), indent=4 + _NAMES, hang=2)
        for thread in lane.threads:
            page.line(thread_words(thread), indent=4 + _NAMES, hang=2)
            page.line((own_line_words(thread), "cyan"), indent=4 + _NAMES, hang=2)
    elif ended := end_words(lane, timeline):
        page.line((ended, "bold red" if lane.left else "dim"), indent=4 + _NAMES)


def _signs(lane: Lane, scale: Scale, columns: int) -> list[tuple[str, str]]:
    row = [_NOTHING] * columns
    for span in lane.spans:
        first, last = (int(scale.place(at) * (columns - 1)) for at in (span.start, span.end))
        row[first : last + 1] = [_SIGNS[span.kind]] * (last + 1 - first)
    for mark in lane.marks:
        if mark.kind != "told":
            place = int(scale.place(mark.at) * (columns - 1))
            row[place] = _EXIT if mark.kind == "exited" else _BEGUN
    while row and row[-1] == _NOTHING:
        row.pop()
    return row


def _axis(scale: Scale, columns: int, unit: str) -> str:
    """Return the times below a drawing, each beginning at its place."""
    line = ""
    for at in ticks(scale, 10 / columns):
        place = int(scale.place(at) * (columns - 1))
        words = f"|{moment_words(at, unit)}"
        if place >= len(line) + (1 if line else 0) and place + len(words) <= columns:
            line = f"{line:{place}}{words}"
    return line


def _legend(timelines: Sequence[Timeline]) -> Iterator[str]:
    used = {span.kind for each in timelines for lane in each.lanes for span in lane.spans}
    for kind, (sign, _) in _SIGNS.items():
        if kind in used:
            yield f"{sign}  {KINDS[kind]}"
    yield f"{_BEGUN[0]}  begins a task"
    yield f"{_EXIT[0]}  ends"
