"""Timelines in the Trace Event Format, which Perfetto and chrome://tracing open.

The format is described in Google's document "Trace Event Format" (JSON Object Format, complete,
instant, flow and metadata events; times in microseconds).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from pytest_mpgrade.records import Lane, LaneArrow, Timeline
from pytest_mpgrade.report.timeline.words import KINDS, own_line_words, thread_words
from pytest_mpgrade.system.text import one_line

_MICROSECONDS = 1e6
"""In a second: the unit of the format."""


def chrome_trace(timelines: Sequence[Timeline]) -> bytes:
    """Return the timelines as one file of JSON.

    Each timeline is a process of the format, and each process of the call a thread of that: pids
    may come again in another run, and what belongs together stands together so.
    """
    events = [event for number, each in enumerate(timelines, 1) for event in _events(number, each)]
    document = {"traceEvents": events, "displayTimeUnit": "ms"}
    return json.dumps(document, indent=1).encode() + b"\n"


def _events(number: int, timeline: Timeline) -> Iterator[dict[str, object]]:
    call = one_line(f"{timeline.call} under {timeline.start_method}")
    yield _named("process_name", number, 0, name=call)
    yield {**_named("process_sort_index", number, 0), "args": {"sort_index": number}}
    for moment in timeline.moments:
        yield {
            "name": one_line(moment.text),
            "cat": "call",
            "ph": "i",
            "s": "p",
            "ts": _time(moment.at),
            "pid": number,
            "tid": timeline.lanes[0].pid if timeline.lanes else 0,
        }
    for place, lane in enumerate(timeline.lanes):
        yield _named("thread_name", number, lane.pid, name=f"{one_line(lane.name)}")
        yield {**_named("thread_sort_index", number, lane.pid), "args": {"sort_index": place}}
        for event in _of_lane(lane, timeline.end):
            yield {**event, "pid": number, "tid": lane.pid}
    for place, arrow in enumerate(timeline.arrows):
        if arrow.kind != "awaits":  # that one has no time of its own
            yield from _flow(f"{number}.{place}", number, arrow)


def _flow(ident: str, number: int, arrow: LaneArrow) -> Iterator[dict[str, object]]:
    """Yield the start and the end of an arrow from one thread of the format to another."""
    common = {"name": arrow.kind, "cat": "flow", "id": ident, "pid": number}
    yield {**common, "ph": "s", "ts": _time(arrow.at), "tid": arrow.source}
    yield {**common, "ph": "f", "bp": "e", "ts": _time(arrow.until), "tid": arrow.target}


def _of_lane(lane: Lane, end: float) -> Iterator[dict[str, object]]:
    for span in lane.spans:
        words = one_line(span.text or KINDS[span.kind])
        where = {"at": own_line_words(lane)} if span is lane.spans[-1] and lane.line else {}
        yield _lasting(words, span.kind, span.start, span.end, where)
    for thread in lane.threads:  # within the last span of its process
        where = {"at": own_line_words(thread)}
        yield _lasting(thread_words(thread), "thread", thread.since, end, where)
    for mark in lane.marks:
        at = _time(mark.at)
        yield {"name": one_line(mark.text), "cat": mark.kind, "ph": "i", "s": "t", "ts": at}


def _lasting(
    name: str, kind: str, start: float, end: float, args: dict[str, str]
) -> dict[str, object]:
    length = _time(end - start)
    return {"name": name, "cat": kind, "ph": "X", "ts": _time(start), "dur": length, "args": args}


def _named(kind: str, pid: int, tid: int, **args: object) -> dict[str, object]:
    return {"name": kind, "ph": "M", "ts": 0, "pid": pid, "tid": tid, "args": args}


def _time(seconds: float) -> float:
    return round(seconds * _MICROSECONDS, 1)
