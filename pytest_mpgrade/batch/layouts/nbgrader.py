"""nbgrader's exchange: ``submitted/jdoe/hw3/hw3.ipynb``, with a ``timestamp.txt`` beside it."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pytest_mpgrade.batch.layouts.entry import LayoutEntry
from pytest_mpgrade.submission import handed_in


def entries(root: Path) -> list[LayoutEntry]:
    """Read ``submitted/`` or the folder above it.

    There is a folder for each student, and in it one for each assignment.
    """
    below = root / "submitted"
    return list(_entries(below if below.is_dir() else root))


def _entries(root: Path) -> Iterator[LayoutEntry]:
    names = {stamp.parent.name for stamp in root.glob("*/*/timestamp.txt")}
    for path in sorted(
        each for name in names for each in root.glob(f"*/{glob.escape(name)}") if each.is_dir()
    ):
        when = ""
        with suppress(OSError):
            when = (
                handed_in.content(path / "timestamp.txt", 200)
                .decode("utf-8", "replace")
                .strip()[:40]
            )
        student = path.parent.name
        yield LayoutEntry(
            student=student, path=path, kind="folder", attempt=when, when=when, keys=(student,)
        )
