"""The layouts of course systems: each reads the entries of a download by its names alone.

A layout is a small module with a function that returns the entries. It returns none where the names
are not that system's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_mpgrade.batch.layouts import blackboard, canvas, classroom, gradescope, moodle, nbgrader
from pytest_mpgrade.batch.layouts.entry import LayoutEntry

LAYOUTS: Mapping[str, Callable[[Path], Sequence[LayoutEntry]]] = {
    "gradescope": gradescope.entries,
    "nbgrader": nbgrader.entries,
    "moodle": moodle.entries,
    "canvas": canvas.entries,
    "blackboard": blackboard.entries,
    "classroom": classroom.entries,
}
"""The most specific first: those with names that nobody gives to a file by chance."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """The layout of a download, and its entries."""

    layout: str
    entries: tuple[LayoutEntry, ...]


def recognise(root: Path) -> Found | None:
    """Return the layout that most names of a download have, or None for a plain folder."""
    names = [child for child in root.iterdir() if not child.name.startswith(".")]
    for name, read in LAYOUTS.items():
        entries = tuple(read(root))
        tops = {entry.path.relative_to(root).parts[0] for entry in entries}
        if entries and 2 * len(tops) > len(names):
            return Found(layout=name, entries=entries)
    return None
