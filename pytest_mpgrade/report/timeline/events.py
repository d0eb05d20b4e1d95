"""A timeline as a list of events: for screen readers, and to be compared by `diff`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pytest_mpgrade.records import Lane, LaneArrow, LaneSpan, SpanKind, Timeline
from pytest_mpgrade.report.timeline.words import (
    end_words,
    headline,
    moment_words,
    own_line_words,
    thread_words,
)
from pytest_mpgrade.system.text import one_line

_BEGINS: dict[SpanKind, str] = {
    "starting": "is started, and starts its interpreter",
    "gate": "is held by the grader",
    "waiting": "sleeps",
    "ended": "has ended, and is not joined yet",
    "zombie": "has ended, and is never joined",
    "alive": "is still there after the return",
}


def event_lines(timeline: Timeline) -> list[str]:
    """Return what happened, one event a line in the order of time, as plain text."""
    events = sorted(_events(timeline), key=lambda each: each[0])
    lines = [headline(timeline)]
    lines += [f"{moment_words(at, timeline.unit)}: {one_line(words)}" for at, words in events]
    for lane in timeline.lanes:
        place = own_line_words(lane)
        if lane.says:
            lines.append(
                one_line(f"at the end: {lane.name} {lane.says}{place and f', at {place}'}")
            )
        elif ended := end_words(lane, timeline):
            lines.append(one_line(f"at the end: {lane.name}: {ended}"))
        for thread in lane.threads:
            place = own_line_words(thread)
            words = f"{lane.name}: {thread_words(thread)}{place and f', at {place}'}"
            lines.append(one_line(f"at the end: {words}"))
    if timeline.more_lanes or timeline.more_events:
        lines.append(
            f"left out: {timeline.more_lanes} processes, {timeline.more_events} events of others"
        )
    return lines


def _events(timeline: Timeline) -> Iterator[tuple[float, str]]:
    for moment in timeline.moments:
        yield moment.at, moment.text
    names = {lane.pid: lane.name for lane in timeline.lanes}
    for arrow in timeline.arrows:
        if {arrow.source, arrow.target} <= names.keys():
            yield from _of_arrow(arrow, names, timeline)
    for lane in timeline.lanes:
        yield from _of_lane(lane)


def _of_arrow(
    arrow: LaneArrow, names: Mapping[int, str], timeline: Timeline
) -> Iterator[tuple[float, str]]:
    source, target = names[arrow.source], names[arrow.target]
    if arrow.kind == "started":
        yield arrow.at, f"{source} starts {target}"
    elif arrow.kind == "reaped":
        yield arrow.until, f"{target} has joined {source}, or taken its end in"
    elif arrow.kind == "passed":
        put = moment_words(arrow.at, timeline.unit)
        yield arrow.until, f"{target} gets an item that {source} has put at {put}"


def _of_lane(lane: Lane) -> Iterator[tuple[float, str]]:
    for mark in lane.marks:
        if mark.kind == "exited":
            yield mark.at, f"{lane.name} ends: {mark.text}"
        elif mark.kind == "told":
            yield mark.at, f"{lane.name} is told to stop"
        else:
            dies = ", which ends its process" if mark.kind == "dies" else ""
            yield mark.at, f"{lane.name} begins {mark.text}{dies}"
    for span in lane.spans:
        if span.kind in _BEGINS:
            yield span.start, f"{lane.name} {_BEGINS[span.kind]}{_said(span)}"


def _said(span: LaneSpan) -> str:
    if span.kind == "gate":
        return f" in {span.text}" if span.text.startswith("task") else f" {span.text}"
    return f": {span.text}" if span.kind == "waiting" and span.text else ""
