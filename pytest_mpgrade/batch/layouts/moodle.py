"""Moodle, "Download all submissions", in folders or flat (mod/assign/classes/downloader.php).

``Jane Doe_4711_assignsubmission_file/cv_funcs.py`` or ``Jane
Doe_4711_assignsubmission_file_cv_funcs.py``. The number is that of the column `Identifier` in the
offline grading worksheet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pytest_mpgrade.batch.layouts.entry import LayoutEntry, named_files

_NAME = re.compile(
    r"^(?P<name>.+)_(?P<uid>\d+)_assignsubmission_(?P<kind>file|onlinetext)(?:_(?P<file>.*))?$",
    re.DOTALL,
)


def entries(root: Path) -> list[LayoutEntry]:
    """Read a folder of folders, or of files."""
    return list(_entries(root))


def _entries(root: Path) -> Iterator[LayoutEntry]:
    for path, match in named_files(root, _NAME):
        kind = "text" if match["kind"] == "onlinetext" else "folder" if path.is_dir() else "file"
        yield LayoutEntry(
            student=f"{match['name']}_{match['uid']}",
            path=path,
            name=match["file"] or "",
            kind=kind,
            keys=(match["uid"], f"Participant {match['uid']}", match["name"]),
        )
