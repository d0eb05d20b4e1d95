"""Drawings of what the processes of a call did, and when: SVG for pages, and lists of events.

All of it is made of `records.Timeline` alone, as result files keep it.
"""

from pytest_mpgrade.report.timeline.svg import timeline_svg

__all__ = ["timeline_svg"]
