"""A drawing of timelines with all that a page needs: wide and narrow, and as a list of events."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_mpgrade.records import Timeline
from pytest_mpgrade.report.timeline.canvas import letters
from pytest_mpgrade.report.timeline.events import event_lines
from pytest_mpgrade.report.timeline.svg import MOST, timeline_svg

WIDE, NARROW = 960, 344
"""Pixels: the widths of the two drawings. The narrow one fits a phone of 360 pixels."""
SWITCH = (
    ".tl-narrow{display:none}"
    "@media (max-width:760px){.tl-narrow{display:block}.tl-wide{display:none}}"
    ".tl-events{font:.85rem/1.5 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere}"
)
"""The style sheet by which a page shows one of the two drawings; each figure carries it."""


def timeline_figure(timelines: Sequence[Timeline], *, ident: str, said: str = "") -> str:
    """Return a drawing of timelines as HTML; see `timeline_svg`.

    A page that is wide shows a wide drawing, a phone a narrow one, both without a script. A list of
    events below says the same in words.
    """
    drawings = [
        f'<div class="tl-{name}">'
        + timeline_svg(timelines, width=width, ident=f"{ident}-{name}", said=said)
        + "</div>"
        for name, width in (("wide", WIDE), ("narrow", NARROW))
    ]
    lists = [
        "<ol>" + "".join(f"<li>{letters(line)}</li>" for line in event_lines(each)) + "</ol>"
        for each in timelines[:MOST]
    ]
    return (
        f'<figure class="timeline"><style>{SWITCH}</style>{"".join(drawings)}'
        '<details class="tl-events"><summary>The same as a list of events</summary>'
        f"{''.join(lists)}</details></figure>"
    )
