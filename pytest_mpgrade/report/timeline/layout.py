"""Where everything stands in a drawing of timelines, in pixels. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_mpgrade.records import Lane, LaneMark, LaneThread, Moment, Timeline
from pytest_mpgrade.report.timeline.canvas import fitted_lines, text_width
from pytest_mpgrade.report.timeline.scale import Scale, common_scale
from pytest_mpgrade.report.timeline.words import end_words, own_line_words, task_label, thread_words

WIDE = 620
"""Pixels from which on names stand beside their lanes; in narrower drawings they stand above."""
BAR, THIN, GAP, LINE = 22.0, 7.0, 12.0, 16.0
"""Pixels: the height of a lane's bar, and of a thread's; the room between lanes, the height of a
line of text.
"""
SIZE, SOFT, CODE, SMALL = 13.0, 12.0, 12.0, 11.0
"""Pixels: the sizes of fonts."""
STRONG = 13.6
"""Pixels: the size of a font whose letters are as wide as strong ones of `SIZE`."""
_MARGIN, _NAMES, _RIGHT = 8.0, 176.0, 26.0
"""Pixels: the room at the left, for the names of lanes, and for arrows at the right."""


@dataclass(frozen=True, kw_only=True)
class Area:
    """The part of a drawing in which time runs from left to right."""

    scale: Scale
    left: float
    right: float
    wide: bool  # names stand beside the lanes

    def x(self, at: float) -> float:
        """Return the place of a moment."""
        return self.left + self.scale.place(at) * (self.right - self.left)


@dataclass(frozen=True, kw_only=True)
class ThreadRow:
    """Where a thread's bar stands below the lane of its process, and its text below that."""

    thread: LaneThread
    top: float
    says: tuple[str, ...]
    code: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class LaneRow:
    """Where a lane stands, and the lines of text beside and below it."""

    lane: Lane
    top: float  # of its bar
    bottom: float  # of all that belongs to it
    name: tuple[str, ...]  # beside the bar, the first one strong
    says: tuple[str, ...]  # below it: what it waits for
    code: tuple[str, ...]  # and the line of the submission
    threads: tuple[ThreadRow, ...] = ()


@dataclass(frozen=True, kw_only=True)
class MomentLabel:
    """The words of a moment, at the foot or the head of its line."""

    moment: Moment
    x: float  # of its line
    at: float  # of its words: their beginning, or their end
    anchor: str  # "start" or "end", which of the two
    y: float  # of the first line of words
    lines: tuple[str, ...]

    @property
    def bottom(self) -> float:
        """The last line of words."""
        return self.y + LINE * (len(self.lines) - 1)


@dataclass(frozen=True, kw_only=True)
class Block:
    """One timeline's part of the drawing."""

    timeline: Timeline
    top: float
    rows: tuple[LaneRow, ...]
    labels: tuple[MomentLabel, ...]
    bottom: float


def area_of(timelines: Sequence[Timeline], width: int) -> Area:
    """Return where time runs in a drawing of these timelines."""
    wide = width >= WIDE
    return Area(
        scale=common_scale(timelines),
        left=_MARGIN + (_NAMES if wide else 0.0),
        right=width - _RIGHT,
        wide=wide,
    )


def block(timeline: Timeline, area: Area, top: float) -> Block:
    """Return where a timeline stands that begins at *top*."""
    labels = _labels(timeline, area, top + LINE + 22)
    y = max((each.bottom for each in labels), default=top + LINE + 6) + 10
    rows = []
    for lane in timeline.lanes:
        row = _row(lane, timeline, area, y)
        rows.append(row)
        y = row.bottom + GAP
    return Block(timeline=timeline, top=top, rows=tuple(rows), labels=labels, bottom=y)


def _row(lane: Lane, timeline: Timeline, area: Area, top: float) -> LaneRow:
    name = _name(lane, timeline, area)
    bar = top if area.wide else top + LINE * len(name) + 2
    below = bar + BAR + (LINE - 2 if lane.marks else 2)
    room = area.right - area.left
    says = tuple(fitted_lines(lane.says, room, SIZE, most=2)) if lane.says else ()
    code = tuple(fitted_lines(own_line_words(lane), room, CODE, mono=True, most=1))
    bottom = below + LINE * (len(says) + len(code))
    threads = []
    for thread in lane.threads:
        threads.append(_thread_row(thread, bottom + THIN, room))
        bottom = threads[-1].top + THIN + LINE * len((*threads[-1].says, *threads[-1].code))
    beside = top + LINE * len(name) if area.wide else 0.0
    return LaneRow(
        lane=lane,
        top=bar,
        bottom=max(bottom, beside),
        name=name,
        says=says,
        code=code,
        threads=tuple(threads),
    )


def _thread_row(thread: LaneThread, top: float, room: float) -> ThreadRow:
    return ThreadRow(
        thread=thread,
        top=top,
        says=tuple(fitted_lines(thread_words(thread), room, SIZE, most=2)),
        code=tuple(fitted_lines(own_line_words(thread), room, CODE, mono=True, most=1)),
    )


def _name(lane: Lane, timeline: Timeline, area: Area) -> tuple[str, ...]:
    """Return the name of a lane, and how its process ended."""
    ended = end_words(lane, timeline)
    if not area.wide:
        width = area.right - area.left
        return tuple(fitted_lines(", ".join(filter(None, (lane.name, ended))), width, SIZE, most=2))
    room = _NAMES - 2 * _MARGIN
    return (*fitted_lines(lane.name, room, SIZE, most=1), *fitted_lines(ended, room, SOFT, most=2))


def _labels(timeline: Timeline, area: Area, y: float) -> tuple[MomentLabel, ...]:
    """Place the words of all moments, each in the first lines in which it meets no other."""
    rows: list[list[tuple[float, float]]] = []
    found = []
    for moment in timeline.moments:
        lines = fitted_lines(moment.text, area.right + _RIGHT - 2 * _MARGIN, STRONG, most=2)
        width = max(text_width(line, STRONG) for line in lines or [""])
        x = area.x(moment.at)
        room = area.right + _RIGHT - x
        # Before its line where there is no room behind it, and across it where there is none.
        before = width + 4 > room and x - 4 - width >= _MARGIN
        start = x - 4 - width if before else x + 4 if width + 4 <= room else _MARGIN
        first = next(
            number
            for number in range(len(rows) + 1)
            if all(
                start > end + 6 or start + width < begin - 6
                for row in rows[number : number + len(lines)]
                for begin, end in row
            )
        )
        for number in range(first, first + len(lines)):
            rows += [[] for _ in range(number + 1 - len(rows))]
            rows[number].append((start, start + width))
        found.append(
            MomentLabel(
                moment=moment,
                x=x,
                at=x - 4 if before else start,
                anchor="end" if before else "start",
                y=y + LINE * first,
                lines=tuple(lines),
            )
        )
    return tuple(found)


@dataclass(frozen=True, kw_only=True)
class MarkLabel:
    """The tasks that a process began close to one another, in one label."""

    x: float
    text: str


def mark_labels(marks: Sequence[LaneMark], area: Area) -> list[MarkLabel]:
    """Return the labels of a lane's marks; each gives way to the one before it."""
    groups: list[tuple[float, list[str]]] = []
    for mark in marks:
        if mark.kind == "exited":
            continue
        x = area.x(mark.at)
        text = "told to stop" if mark.kind == "told" else task_label(mark.text)
        text = f"{text} (dies)" if mark.kind == "dies" else text
        if groups and x < groups[-1][0] + text_width(" ".join(groups[-1][1]), SMALL) + 6:
            groups[-1][1].append(text)
        else:
            groups.append((x, [text]))
    return [
        MarkLabel(x=x, text=_short(texts, (after[0] if after else area.right) - x))
        for (x, texts), after in zip(groups, [*groups[1:], None], strict=False)
    ]


def _short(texts: Sequence[str], room: float) -> str:
    """Return these texts, with a count of those for which there is no room."""
    for count in range(len(texts), 0, -1):
        rest = len(texts) - count
        text = " ".join(texts[:count]) + (f" +{rest}" if rest else "")
        if text_width(text, SMALL) <= max(room, 24.0):
            return text
    return f"{len(texts)} tasks" if len(texts) > 1 else texts[0]
