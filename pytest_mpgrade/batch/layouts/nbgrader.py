"""nbgrader's exchange: ``submitted/jdoe/hw3/hw3.ipynb``, with a ``timestamp.txt`` beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pytest_mpgrade.batch.layouts.entry import Entry


def entries(root: Path) -> list[Entry]:
    """Read ``submitted/`` or the folder above it: a folder for each student, and in it one for each assignment."""
    below = root / "submitted"
    return list(_entries(below if below.is_dir() else root))


def _entries(root: Path) -> Iterator[Entry]:
    for stamp in sorted(root.glob("*/*/timestamp.txt")):
        student = stamp.parent.parent.name
        when = stamp.read_text("utf-8", "replace").strip()[:40]
        yield Entry(student=student, path=stamp.parent, kind="folder", attempt=when, when=when, keys=(student,))
