"""Blackboard's gradebook zip: ``HW_3_jdoe_attempt_2026-03-02-09-00-00_cv_funcs.py``.

A .txt with comments accompanies each attempt. An assignment's name may contain underscores; a user
name does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pytest_mpgrade.batch.layouts.entry import LayoutEntry, named_files

_NAME = re.compile(
    r"^.*_(?P<user>[^_]+)_attempt_(?P<when>\d{4}(?:-\d\d){5})(?:_(?P<file>.+)|\.txt)$", re.DOTALL
)

_ISO = re.compile(r"^(.*)-(\d\d)-(\d\d)-(\d\d)$")


def entries(root: Path) -> list[LayoutEntry]:
    """Read a flat folder of files."""
    return list(_entries(root))


def _entries(root: Path) -> Iterator[LayoutEntry]:
    for path, match in named_files(root, _NAME):
        if not path.is_file():
            continue
        yield LayoutEntry(
            student=match["user"],
            path=path,
            name=match["file"] or "",
            kind="file" if match["file"] else "comment",
            attempt=match["when"],
            when=_ISO.sub(r"\1T\2:\3:\4", match["when"]),
            keys=(match["user"],),
        )
