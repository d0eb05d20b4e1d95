"""Which schedules an exploration tries, and in which order; pure.

A run without holds shows the points of a program. First come all schedules with one hold: those at
operations between processes before the rest, first visits before later ones. Then come two points
and more, drawn with a seed of the submission's own (probabilistic concurrency testing: Burckhardt
et al., ASPLOS 2010), so that the same submission has the same schedules everywhere. Where a hold
opens lines that no run has reached before, such as those after a time-out, they are held as well.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from pytest_mpgrade.records import ANOTHER, CALLER, WORKER, Point, Schedule, Visit

Place: TypeAlias = tuple[str, str, str]
"""A role, a thread of it, and a place that it comes to."""
_SHARED = re.compile(
    r"\b(get|put|get_nowait|put_nowait|empty|full|qsize|join|join_thread|is_alive|exitcode|sentinel"
    r"|value|acquire|release|wait|wait_for|notify|notify_all|set|clear|is_set|task_done|terminate"
    r"|kill|close|cancel_join_thread|_exit|send|recv|poll|send_bytes|recv_bytes|sleep|start|apply"
    r"|apply_async|map|map_async|imap|imap_unordered|submit|shutdown|unlink|buf|SharedMemory"
    r"|Process|Barrier|open|remove|rename|exists|append|pop|with|lock)\b"
)
"""Words of lines at which processes may meet. Another line is only explored later."""
_KEEPERS = re.compile(r"\b(\w*Manager|Array|RawArray|ShareableList|memmap|ndarray|frombuffer)\b")
"""Words of lines at which something is made whose items processes may share."""
_ITEM = re.compile(r"\w\s*\[")
"""What reads or writes an item."""
_BEGINS = re.compile(r"\bstart\b|fork|Popen|Pool|Executor|Manager|submit|apply|map\(")
"""Words of lines at which a program may start a process."""
_SHORT, _MIDDLE, _LONG = 0.5, 0.8, 3.0
"""Seconds of `windows`."""
_SIZES = (2, 2, 3)
"""Numbers of holds, each as likely. Two come more often: few programs need three."""
_DRAWN = 400
"""Schedules of several holds that are drawn; an exploration tries as many as it has time for."""


def singles(
    start_method: str, visits: Sequence[Visit], source: Mapping[str, str]
) -> Iterator[Schedule]:
    """Return the schedules with one hold, the most telling first."""
    meeting = _Meeting.in_program(source)
    points = _points(_from_the_first_start(visits, source))
    for point in sorted([*points, *_of_another_worker(points)], key=meeting.rank):
        yield Schedule(start_method=start_method, holds=(point,))


def drawn(
    start_method: str, visits: Sequence[Visit], source: Mapping[str, str], seed: str, depth: int
) -> Iterator[Schedule]:
    """Return schedules with two to *depth* holds, which go on in their order; drawn with *seed*."""
    meeting = _Meeting.in_program(source)
    points = sorted(_points(visits), key=meeting.rank)
    draw = random.Random(seed)  # noqa: S311 - a schedule, no secret
    weights = [3 if meeting.at(point) else 1 for point in points]
    known: set[tuple[Point, ...]] = set()
    for _ in range(_DRAWN if points else 0):
        holds = tuple(draw.choices(points, weights, k=min(depth, draw.choice(_SIZES))))
        if _at_once(holds) and holds not in known:
            known.add(holds)
            yield Schedule(start_method=start_method, holds=holds)


def windows(schedule: Schedule) -> tuple[float, ...]:
    """Return for each hold for how many seconds nothing may change beside it.

    It matters where somebody polls, who may count how often, or look at a clock. A hold that is
    alone lasts longest; several share the time that a call may be held.
    """
    alone = len(schedule.holds) == 1
    return tuple(
        (_LONG if alone else _MIDDLE) if hold.visit == 1 else _MIDDLE if alone else _SHORT
        for hold in schedule.holds
    )


def places_of(visits: Iterable[Visit]) -> set[Place]:
    """Return where threads came to; workers are alike."""
    return {_place(visit.point) for visit in visits}


def that_follow(
    schedule: Schedule, visits: Iterable[Visit], known: set[Place], source: Mapping[str, str]
) -> list[Schedule]:
    """Return schedules that also hold where this one has led for the first time."""
    new = [visit for visit in visits if _place(visit.point) not in known]
    meeting = _Meeting.in_program(source)
    firsts = {replace(point, visit=1) for point in _points(new) if meeting.at(point)}
    return [
        replace(schedule, holds=(*schedule.holds, point))
        for point in sorted(firsts, key=meeting.rank)
    ]


def _at_once(holds: Sequence[Point]) -> bool:
    """Tell whether all these holds may be kept at one time: each holds a thread of its own."""
    threads = [(hold.role, hold.thread) for hold in holds if hold.role not in (WORKER, ANOTHER)]
    return len(set(threads)) == len(threads) and len(set(holds)) == len(holds)


def _points(visits: Iterable[Visit]) -> list[Point]:
    """Return the points to hold at: of each place the first, second, fourth and last visit.

    Workers are alike, and which of them takes a task is up to the system: whichever comes to a
    point first is held.
    """
    last: dict[Place, int] = {}
    for visit in visits:
        point = visit.point
        who = _place(point)
        last[who] = max(last.get(who, 0), point.visit)
    return [
        Point(role=role, thread=thread, place=place, visit=visit)
        for (role, thread, place), count in last.items()
        for visit in sorted({1, 2, 4, count})
        if visit <= count
    ]


def _from_the_first_start(visits: Sequence[Visit], source: Mapping[str, str]) -> Sequence[Visit]:
    """Leave out what the caller does before it may have started a process: it is alone then.

    *visits* are in the order in which they happened.
    """
    begun = (
        number
        for number, visit in enumerate(visits)
        if visit.point.role != CALLER
        or _BEGINS.search(source.get(f"{visit.point.file}:{visit.point.line}", ""))
    )
    return visits[next(begun, 0) :]


def _of_another_worker(points: Iterable[Point]) -> list[Point]:
    """Return the first visits of workers again, as those of the second worker that comes there."""
    return [
        replace(point, role=ANOTHER)
        for point in points
        if point.role == WORKER and point.visit == 1 and point.line
    ]


def _place(point: Point) -> Place:
    return CALLER if point.role == CALLER else WORKER, point.thread, point.place


@dataclass(frozen=True)
class _Meeting:
    """Where the processes of a program may meet, by the words of its lines."""

    source: Mapping[str, str]
    shares_items: bool

    @classmethod
    def in_program(cls, source: Mapping[str, str]) -> _Meeting:
        return cls(source, any(map(_KEEPERS.search, source.values())))

    def rank(self, point: Point) -> tuple[object, ...]:
        """Return where a point stands in the order; the least first."""
        # Another worker's first visit comes after all first visits, and before second ones.
        return (
            not self.at(point),
            min(point.visit, 3),
            point.role == ANOTHER,
            bool(point.line),
            point.role,
            point.thread,
            point.place,
        )

    def at(self, point: Point) -> bool:
        """Tell whether processes may meet at a point: at its line, or at the one before it."""
        if not point.line or point.place.endswith("~"):
            return True
        texts = [
            self.source.get(f"{point.file}:{number}", "") for number in (point.line - 1, point.line)
        ]
        return any(
            _SHARED.search(text) or (self.shares_items and _ITEM.search(text)) for text in texts
        )
