"""The lane of one process in a timeline: what it did when, from what the supervisor has seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from pytest_mpgrade.records import (
    Asleep,
    Doing,
    Frame,
    GateEvent,
    GateOpened,
    Lane,
    LaneMark,
    LaneSpan,
    LaneThread,
    Left,
    ProcessSeen,
    Role,
    Run,
    SpanKind,
    Stuck,
    StuckThread,
)
from pytest_mpgrade.system.text import exit_words

MOST_EVENTS = 40
"""Spans, and also marks, of one process that a timeline has. It only counts the rest."""
_SHORTEST = 0.0005
"""Seconds of a span, at least; times are kept to a tenth of a millisecond."""
_LOOK = 0.15
"""Seconds between two looks, and some more: a shorter time until an end was taken in is no fact."""
_LONGEST = 160
"""Characters of a text: keys of tasks and lines of code may be long."""


class _OfProcess(Protocol):
    @property
    def pid(self) -> int: ...


_Of = TypeVar("_Of", bound=_OfProcess)
_Event = TypeVar("_Event", LaneSpan, LaneMark)


@dataclass(frozen=True, kw_only=True)
class Course:
    """What all lanes of a call share."""

    over: float  # when the call was back, or was given up
    looked: float  # when the processes were looked at last
    came_back: bool
    tasks: Mapping[str, str]  # key -> "task 3"

    def task(self, key: str) -> str:
        """Return a task in words."""
        return self.tasks.get(key, f"task {key}"[:_LONGEST])


@dataclass(frozen=True, kw_only=True)
class LaneFacts:
    """All that was seen of one process."""

    events: Sequence[GateEvent]
    openings: Sequence[GateOpened]
    asleep: Sequence[Asleep]
    stuck: Stuck | None


def facts_of(run: Run, pid: int) -> LaneFacts:
    """Return what was seen of one process of a run."""
    trace = run.trace
    return LaneFacts(
        events=_of(pid, trace.events),
        openings=_of(pid, trace.openings),
        asleep=_of(pid, trace.asleep),
        stuck=next(iter(_of(pid, trace.stuck)), None),
    )


def _of(pid: int, seen: Iterable[_Of]) -> list[_Of]:
    return [each for each in seen if each.pid == pid]


def caller_lane(pid: int, facts: LaneFacts, course: Course) -> tuple[Lane, int]:
    """Return the lane of the calling process, and how many of its events are left out.

    It ends with the call: what the process does then is the grader's.
    """
    spans = _spans(facts, course, (0.0, course.over), "own")
    return _bounded(
        Lane(pid=pid, name=str(Role.PARENT), spans=spans, marks=_marks(facts, course)), facts
    )


def process_lane(
    process: ProcessSeen, name: str, facts: LaneFacts, course: Course
) -> tuple[Lane, int]:
    """Return the lane of a process that the call started, and how many events are left out."""
    start = max(process.first, 0.0)
    ended = None if process.ended is None else max(process.ended, start)
    facts = _not_after(facts, ended)
    last = course.looked if ended is None else ended
    meant = min(last, course.over) if course.came_back else last
    kind: SpanKind = "own" if process.born == "fork" or process.first < 0 else "starting"
    spans = _spans(facts, course, (start, meant), kind)
    if course.came_back and last > max(course.over, start) + _SHORTEST:
        spans += (_span("alive", max(course.over, start), last, "alive after the return"),)
    marks = _marks(facts, course)
    if ended is not None:
        marks += (LaneMark(kind="exited", at=ended, text=exit_words(process.exitcode)),)
    lane = Lane(
        pid=process.pid,
        name=name,
        born=process.born,
        start=start,
        end=ended,
        exitcode=process.exitcode,
        left=_left(process, course),
        spans=spans + _unreaped(process, ended, course),
        marks=marks,
    )
    return _bounded(lane, facts)


def _not_after(facts: LaneFacts, ended: float | None) -> LaneFacts:
    """Return the facts with no event after the end of the process.

    On a busy machine a message is read after the end of its sender was taken in.
    """
    if ended is None:
        return facts
    events = [replace(each, at=min(each.at, ended)) for each in facts.events]
    return replace(facts, events=events)


def _left(process: ProcessSeen, course: Course) -> Left:
    # The fork server takes the exit statuses of its children, whether the submission joins or not.
    if course.came_back and process.at_return == "zombie" and process.born != "forkserver":
        return "zombie"
    return "alive" if course.came_back and process.later == "alive" else ""


def _unreaped(process: ProcessSeen, ended: float | None, course: Course) -> tuple[LaneSpan, ...]:
    """Return the time in which a process had ended, and nobody had taken its exit status."""
    if process.born == "forkserver":
        return ()
    if _left(process, course) == "zombie":
        since = course.over if ended is None else ended
        return (_span("zombie", since, max(course.looked, since), "ended, never joined"),)
    until = process.reaped if process.reaped is not None else course.looked
    if ended is None or until < ended + _LOOK:
        return ()
    return (_span("ended", ended, until, "ended, not joined yet"),)


def _spans(
    facts: LaneFacts, course: Course, whole: tuple[float, float], first: SpanKind
) -> tuple[LaneSpan, ...]:
    """Return spans that fill the *whole* time; *first* is what comes before the first task."""
    start, end = whole
    over: list[LaneSpan] = [*_at_gates(facts, course, end)]
    over += _without(over, _waits(facts, end))
    filled: list[LaneSpan] = []
    ready = min([end, *(each.at for each in facts.events), *(each.start for each in over)])
    if first == "starting" and ready > start:
        filled.append(_span("starting", start, ready, "starts its interpreter, and imports"))
        start = ready
    for each in sorted(over, key=lambda span: span.start):
        begin, stop = max(each.start, start), min(each.end, end)
        if stop <= begin:
            continue
        if begin > start + _SHORTEST:
            filled.append(_span("own", start, begin))
        filled.append(replace(each, start=begin, end=stop))
        start = stop
    if end > start + _SHORTEST:
        filled.append(_span("own", start, end))
    return tuple(filled)


def _at_gates(facts: LaneFacts, course: Course, end: float) -> Iterator[LaneSpan]:
    """Yield the times in which the process stood at gates."""
    lost = {event.key: event.at for event in facts.events if event.kind == "lost"}
    for event in facts.events:
        if event.kind not in ("gate", "leave"):
            continue
        key = event.key if event.kind == "gate" else ""
        until = next(
            (each.at for each in facts.openings if each.key == key and each.at >= event.at),
            lost.get(event.key),
        )
        # Nobody has opened it: it was open, or the process still stands there.
        stands = facts.stuck is not None and facts.stuck.doing is Doing.GATE
        until = until if until is not None else end if stands else event.at
        if until > event.at + _SHORTEST:
            yield _span("gate", event.at, until, course.task(key) if key else "at its exit")


def _waits(facts: LaneFacts, end: float) -> Iterator[LaneSpan]:
    """Yield the sleeps of the process; of one that hangs the last is up to the end."""
    stuck = facts.stuck
    words = stuck.words[:_LONGEST] if stuck is not None else ""
    sleeps = sorted(facts.asleep, key=lambda each: each.since)
    if stuck is None or stuck.doing in (Doing.GATE, Doing.BUSY):
        for each in sleeps:
            yield _span("waiting", each.since, each.until)
        return
    last = sleeps[-1].since if sleeps else max((event.at for event in facts.events), default=0.0)
    for each in sleeps[:-1]:
        yield _span("waiting", each.since, each.until)
    yield _span("waiting", min(last, end), end, words)


def _without(taken: Sequence[LaneSpan], spans: Iterable[LaneSpan]) -> list[LaneSpan]:
    """Return what of *spans* is outside of all that are *taken*."""
    rest = list(spans)
    for gone in taken:
        rest = [
            part
            for span in rest
            for part in (
                replace(span, end=min(span.end, gone.start)),
                replace(span, start=max(span.start, gone.end)),
            )
            if part.end > part.start + _SHORTEST
        ]
    return rest


def _marks(facts: LaneFacts, course: Course) -> tuple[LaneMark, ...]:
    return tuple(
        LaneMark(
            kind="told" if each.kind == "leave" else "dies" if each.kind == "doom" else "task",
            at=each.at,
            text="told to stop" if each.kind == "leave" else course.task(each.key),
        )
        for each in facts.events
        if each.kind != "lost"
    )


def _span(kind: SpanKind, start: float, end: float, text: str = "") -> LaneSpan:
    return LaneSpan(kind=kind, start=round(start, 4), end=round(end, 4), text=text)


def _first_and_last(events: tuple[_Event, ...]) -> tuple[_Event, ...]:
    """Return `MOST_EVENTS` events at most: how a call ended matters, and how it began."""
    return events if len(events) <= MOST_EVENTS else events[: MOST_EVENTS - 5] + events[-5:]


def _bounded(lane: Lane, facts: LaneFacts) -> tuple[Lane, int]:
    """Return the lane with its place in the code, and with the first and last of its events."""
    spans, marks = _first_and_last(lane.spans), _first_and_last(lane.marks)
    rest = len(lane.spans) - len(spans) + len(lane.marks) - len(marks)
    lane = replace(lane, spans=spans, marks=marks)
    stuck = facts.stuck
    if stuck is None:
        return lane, rest
    file, line = _place(next((frame for frame in stuck.frames if frame.own), None))
    return (
        replace(
            lane,
            says=stuck.words[:_LONGEST],
            file=file,
            line=line,
            code=stuck.code[:_LONGEST],
            threads=tuple(_thread(each, lane) for each in stuck.threads),
        ),
        rest,
    )


def _thread(stuck: StuckThread, lane: Lane) -> LaneThread:
    file, line = _place(stuck.frame)
    return LaneThread(
        name=stuck.name,
        says=stuck.words,
        since=lane.spans[-1].start if lane.spans else lane.start,
        file=file,
        line=line,
        code=stuck.code[:_LONGEST],
    )


def _place(frame: Frame | None) -> tuple[str, int]:
    """Return the file's name and the line of a frame."""
    return (frame.file.rpartition("/")[2], frame.line) if frame is not None else ("", 0)
