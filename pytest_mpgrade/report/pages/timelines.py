"""Timelines as a page takes them: their style sheets stand once in the page's own.

The policy of a page knows its style by a hash, and takes no other.
"""

from __future__ import annotations

import re

from markupsafe import Markup

from pytest_mpgrade.report.pages.html import markup
from pytest_mpgrade.report.parts import CheckPart, ResultFile
from pytest_mpgrade.report.timeline import timeline_figure, timelines_for
from pytest_mpgrade.report.timeline.figure import SWITCH
from pytest_mpgrade.report.timeline.style import STYLE

TIMELINE_STYLE = SWITCH + STYLE
"""The style sheets that a drawing carries where it stands alone."""
_OWN_STYLE = re.compile("<style>[^<]*</style>")
"""A style sheet in a drawing; words of a student have no ``<`` there."""


def drawn_timeline(check: CheckPart, result: ResultFile, ident: str) -> Markup | None:
    """Return the drawing of a check's run under all start methods, or None where none is kept.

    *ident* begins the ids in it, and is another one for each drawing of a page. The page has
    `TIMELINE_STYLE`.
    """
    timelines = timelines_for(check, result)
    if not timelines:
        return None
    return markup(_OWN_STYLE.sub("", timeline_figure(timelines, ident=ident)))
