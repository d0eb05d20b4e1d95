"""A drawing of timelines as inline SVG: one below the other, on one scale of time."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_mpgrade.records import ArrowKind, Ending, LaneSpan, Moment, SpanKind, Timeline
from pytest_mpgrade.report.timeline import layout
from pytest_mpgrade.report.timeline.canvas import Canvas, fitted_lines, text_width
from pytest_mpgrade.report.timeline.layout import Area, Block, LaneRow, ThreadRow
from pytest_mpgrade.report.timeline.scale import seconds_words, ticks
from pytest_mpgrade.report.timeline.style import head_of
from pytest_mpgrade.report.timeline.words import (
    KINDS,
    headline,
    moment_words,
    thread_words,
    title,
)

_SAID = 17.0
"""Pixels: the size of a font whose letters are as wide as those of what the check says."""
MOST = 3
"""Timelines in one drawing: one for each start method."""
_PATTERNED = frozenset(("starting", "gate", "waiting", "ended", "zombie", "alive"))
_IN_BAR: dict[SpanKind, str] = {
    "starting": "starts",
    "waiting": "waits",
    "ended": "ended",
    "zombie": "zombie",
    "alive": "still there",
}


def timeline_svg(
    timelines: Sequence[Timeline], *, width: int = 960, ident: str = "timeline", said: str = ""
) -> str:
    """Return a drawing of timelines of the same call, at most `MOST`, as SVG to stand in HTML.

    *width* is in pixels; below 620 names stand above their lanes, for a phone. *ident* begins the
    ids in it, and is another one for each drawing of a page. *said* is what the check says of the
    run, and stands above it. The drawing needs no script and no other style sheet.
    """
    shown = list(timelines[:MOST])
    canvas = Canvas(width, ident)
    area = layout.area_of(shown, width)
    y = 8.0
    for line in fitted_lines(said, width - 16, _SAID, most=6):
        y += 19
        canvas.text((8, y), line, "big")
    blocks = []
    for each in shown:
        placed = layout.block(each, area, y + 14)
        blocks.append(placed)
        y = placed.bottom + (18 if area.scale else 0)
        _axis(canvas, area, placed)
        _draw(canvas, area, placed)
    y = _legend(canvas, shown, y + 14)
    sentences = [sentence for each in shown for sentence in each.sentences]
    description = "; ".join([*([said] if said else []), *map(headline, shown), *sentences])
    return canvas.drawing(y + 8, title(shown), description, head_of(canvas.ident))


def _draw(canvas: Canvas, area: Area, block: Block) -> None:
    rows = {row.lane.pid: row for row in block.rows}
    _moments(canvas, area, block)
    _arrows(canvas, area, block, rows)
    for row in block.rows:
        _names(canvas, area, row)
        for span in row.lane.spans:
            _span(canvas, area, row, span)
        _marks(canvas, area, row)
        for thread in row.threads:
            _thread(canvas, area, row, thread)
    _awaits(canvas, area, block, rows)
    came_back = block.timeline.ending in (Ending.RETURNED, Ending.RAISED)
    fails = not came_back or any(_is_bad(each, block.timeline) for each in block.timeline.moments)
    kind = "big bad" if fails else "big"
    canvas.text((8, block.top + layout.LINE), headline(block.timeline), kind)


def _axis(canvas: Canvas, area: Area, block: Block) -> None:
    """Draw the moments of the scale behind a timeline, and their times below it."""
    unit = block.timeline.unit
    end = max((row.bottom for row in block.rows), default=block.top) + 6
    start = min((row.top for row in block.rows), default=block.top)
    room = area.right - area.left
    for at in ticks(area.scale, 52 / room):
        x = area.x(at)
        canvas.line((x, start), (x, end), "grid")
        words = seconds_words(at) if unit == "s" else moment_words(at, unit)
        canvas.text((x, end + 13), words, "soft small", "middle" if at else "start")
    canvas.line((area.left, end), (area.right, end), "axis")


def _moments(canvas: Canvas, area: Area, block: Block) -> None:
    end = max((row.bottom for row in block.rows), default=block.top) + 6
    back = next(
        (each.at for each in block.timeline.moments if each.kind in ("returned", "raised")), None
    )
    if back is not None and block.timeline.end > back:
        x = area.x(back)
        start = min((row.top for row in block.rows), default=block.top) - 4
        canvas.rect((x, start, area.x(block.timeline.end) - x, end - start), "after")
    for label in block.labels:
        canvas.line((label.x, label.bottom + 3), (label.x, end), "moment")
        kind = "bad halo" if _is_bad(label.moment, block.timeline) else "soft strong halo"
        for number, line in enumerate(label.lines):
            at = label.at, label.y + layout.LINE * number
            canvas.text(at, line, kind, label.anchor)


def _is_bad(moment: Moment, timeline: Timeline) -> bool:
    """Tell whether a moment is what the failure is about."""
    leaves = moment.kind in ("returned", "raised") and any(lane.left for lane in timeline.lanes)
    return leaves or moment.kind in ("given up", "gates opened")


def _arrows(canvas: Canvas, area: Area, block: Block, rows: dict[int, LaneRow]) -> None:
    for arrow in block.timeline.arrows:
        source, target = rows.get(arrow.source), rows.get(arrow.target)
        if source is None or target is None or arrow.kind == "awaits":
            continue
        down = target.top > source.top
        start = area.x(arrow.at), source.top + (layout.BAR if down else 0)
        # An item takes its time; all others are drawn where they begin.
        until = arrow.until if arrow.kind == "passed" else arrow.at
        end = area.x(until), target.top + (0 if down else layout.BAR)
        line, head, _ = _ARROWS[arrow.kind]
        canvas.line(start, end, line)
        canvas.head(end, "down" if down else "up", head)


def _awaits(canvas: Canvas, area: Area, block: Block, rows: dict[int, LaneRow]) -> None:
    """Draw who waits for whom, at the right of the bars."""
    for place, arrow in enumerate(a for a in block.timeline.arrows if a.kind == "awaits"):
        source, target = rows.get(arrow.source), rows.get(arrow.target)
        if source is None or target is None:
            continue
        x = area.x(block.timeline.end)
        out = x + 10 + 5 * (place % 3)
        start, end = source.top + layout.BAR / 2, target.top + layout.BAR / 2
        canvas.path([(x, start), (out, start), (out, end), (x + 5, end)], "awaits")
        canvas.head((x + 1, end), "left", "headbad")


def _names(canvas: Canvas, area: Area, row: LaneRow) -> None:
    y = row.top + 12 if area.wide else row.top - 6 - layout.LINE * (len(row.name) - 1)
    for number, line in enumerate(row.name):
        bad = row.lane.left and number
        kind = "strong" if not number else "bad" if bad else "soft"
        canvas.text((8, y + layout.LINE * number), line, f"{kind} halo")
    y = row.top + layout.BAR + (layout.LINE - 2 if row.lane.marks else 2)
    for number, line in enumerate(row.says):
        canvas.text((area.left, y + layout.LINE * (number + 1) - 4), line, "halo")
    for number, line in enumerate(row.code, len(row.says)):
        canvas.text((area.left, y + layout.LINE * (number + 1) - 4), line, "code halo")


def _thread(canvas: Canvas, area: Area, row: LaneRow, placed: ThreadRow) -> None:
    """Draw what is known of a thread: that it waited while its process slept, and where."""
    end = max((span.end for span in row.lane.spans), default=placed.thread.since)
    x = area.x(placed.thread.since)
    box = x, placed.top, max(area.x(end) - x, 1.5), layout.THIN
    canvas.rect(box, "waiting", "waiting", f"{row.lane.name}: {thread_words(placed.thread)}")
    y = placed.top + layout.THIN + layout.LINE - 4
    for number, line in enumerate((*placed.says, *placed.code)):
        kind = "halo" if number < len(placed.says) else "code halo"
        canvas.text((area.left, y + layout.LINE * number), line, kind)


def _span(canvas: Canvas, area: Area, row: LaneRow, span: LaneSpan) -> None:
    x, end = area.x(span.start), area.x(span.end)
    width = max(end - x, 1.5)
    fill = span.kind if span.kind in _PATTERNED else ""
    words = f"{row.lane.name}: {span.text or KINDS[span.kind]}"
    canvas.rect((x, row.top, width, layout.BAR), span.kind, fill, words)
    choices = [span.text] if span.kind == "gate" else []
    if span.kind == "gate":
        choices = [f"{span.text}, held", span.text, span.text.removeprefix("task ")]
    elif span.kind in _IN_BAR:
        choices = [_IN_BAR[span.kind]]
    text = next((each for each in choices if text_width(each, 12) <= width - 6), "")
    if text:
        canvas.text((x + width / 2, row.top + 15), text, "soft strong halo", "middle")


def _marks(canvas: Canvas, area: Area, row: LaneRow) -> None:
    for mark in row.lane.marks:
        x = area.x(mark.at)
        if mark.kind == "exited":
            canvas.line((x, row.top - 3), (x, row.top + layout.BAR + 3), "ended")
        else:
            canvas.line((x, row.top + layout.BAR - 8), (x, row.top + layout.BAR + 3), "begun")
    for label in layout.mark_labels(row.lane.marks, area):
        canvas.text((label.x, row.top + layout.BAR + 13), label.text, "small halo")


def _legend(canvas: Canvas, timelines: Sequence[Timeline], y: float) -> float:
    """Draw what the patterns mean, as far as they are used; return where the next line would be."""
    used = [
        kind
        for kind in KINDS
        if any(
            span.kind == kind for each in timelines for lane in each.lanes for span in lane.spans
        )
    ]
    x = 8.0
    for kind in used:
        width = 30 + text_width(KINDS[kind], layout.SOFT) + 14
        if x > 8 and x + width > canvas.width:
            x, y = 8.0, y + 20
        canvas.rect((x, y, 24, 13), kind, kind if kind in _PATTERNED else "")
        canvas.text((x + 30, y + 11), KINDS[kind], "soft")
        x += width
    y = _legend_of_arrows(canvas, timelines, y + 20)
    notes = "A number below a bar: the process began that task. The scale is stretched where much"
    for line in fitted_lines(f"{notes} happens.", canvas.width - 16, layout.SOFT):
        y += layout.LINE
        canvas.text((8, y), line, "soft")
    return y


_ARROWS: dict[ArrowKind, tuple[str, str, str]] = {
    "started": ("arrow", "head", "started by"),
    "reaped": ("reaped", "head", "end taken in by join() or the like"),
    "passed": ("passed", "headpassed", "an item, from put to get (as the processes say)"),
    "awaits": ("awaits", "headbad", "waits for that process"),
}
"""The class of each arrow's line and head, and what it means."""


def _legend_of_arrows(canvas: Canvas, timelines: Sequence[Timeline], y: float) -> float:
    used = {arrow.kind for each in timelines for arrow in each.arrows}
    x = 8.0
    for kind, (line, head, words) in _ARROWS.items():
        if kind not in used:
            continue
        width = 30 + text_width(words, layout.SOFT) + 14
        if x > 8 and x + width > canvas.width:
            x, y = 8.0, y + 20
        canvas.path([(x, y + 7), (x + 18, y + 7)], line)
        canvas.head((x + 24, y + 7), "right", head)
        canvas.text((x + 30, y + 11), words, "soft")
        x += width
    return y + (18 if used else 0)
