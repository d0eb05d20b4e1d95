"""Canvas, "Download Submissions": ``doejane_LATE_12345_67890_cv_funcs-1.py``.

The names are made by content_zipper.rb of canvas-lms.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pytest_mpgrade.batch.layouts.entry import LayoutEntry, named_files

_NAME = re.compile(
    r"^(?:(?P<alate>LATE_)?anon_(?P<anon>[A-Za-z0-9]+)|(?P<name>.*?)_(?P<late>LATE_)?(?P<uid>\d+))_"
    r"(?:(?P<att>\d+)_(?P<file>.+)|(?P<kind>text|link)\.html)$",
    re.DOTALL,
)
_AGAIN = re.compile(r"-(\d+)(\.[^.]*)?$")
"""A resubmission has a number before the suffix."""


def entries(root: Path) -> list[LayoutEntry]:
    """Read a flat folder of files."""
    return list(_entries(root))


def _entries(root: Path) -> Iterator[LayoutEntry]:
    for path, match in named_files(root, _NAME):
        if not path.is_file():
            continue
        uid = match["uid"] or match["anon"]
        file = match["file"] or ""
        again = _AGAIN.search(file)
        yield LayoutEntry(
            student=f"{match['name'] or 'anon'}_{uid}",
            path=path,
            name=_AGAIN.sub(lambda found: found[2] or "", file),
            kind=match["kind"] or "file",
            order=int(match["att"] or 0) + (int(again[1]) if again else 0),
            late=bool(match["late"] or match["alate"]),
            keys=(uid, match["name"] or ""),
        )
