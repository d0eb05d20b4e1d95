"""Drawings of what the processes of a call did, and when: SVG for pages, and lists of events.

All of it is made of `records.Timeline` alone, as result files keep it.
"""

from pytest_mpgrade.report.timeline.chrome import chrome_trace
from pytest_mpgrade.report.timeline.events import event_lines
from pytest_mpgrade.report.timeline.figure import timeline_figure
from pytest_mpgrade.report.timeline.groups import TimelineGroup, timeline_groups, timelines_for
from pytest_mpgrade.report.timeline.svg import timeline_svg

__all__ = [
    "TimelineGroup",
    "chrome_trace",
    "event_lines",
    "timeline_figure",
    "timeline_groups",
    "timeline_svg",
    "timelines_for",
]
