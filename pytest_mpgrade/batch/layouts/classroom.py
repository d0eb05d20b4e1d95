"""GitHub Classroom and Classroom 50: one clone for each student.

Clones are named ``hw3-submissions/hw3-jdoe`` or ``stats507-hw3-jdoe``. All names begin with the
assignment's. Classroom 50 puts a ``scores.csv`` beside them.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from pytest_mpgrade.batch.layouts.entry import LayoutEntry
from pytest_mpgrade.submission import handed_in


def entries(root: Path) -> list[LayoutEntry]:
    """Read a folder of clones."""
    folders = [path for path in sorted(root.iterdir()) if path.is_dir()]
    clones = [path for path in folders if os.path.exists(path / ".git")]
    if clones:  # a clone that we cannot list is a student's, too
        clones = [path for path in folders if path in clones or handed_in.is_closed(path)]
    return list(_entries(clones, _users(root / "scores.csv")))


def _entries(clones: list[Path], users: Mapping[str, str]) -> Iterator[LayoutEntry]:
    heads = [path.name.split("-") for path in clones]
    shared = 0
    while (
        len(clones) > 1
        and all(len(head) > shared + 1 for head in heads)
        and len({h[shared] for h in heads}) == 1
    ):
        shared += 1
    start = "".join(f"{word}-" for word in heads[0][:shared]) if heads else ""
    for path in clones:
        known = max((user for user in users if path.name.endswith(f"-{user}")), key=len, default="")
        student = known or path.name.removeprefix(start) or path.name
        yield LayoutEntry(
            student=student, path=path, kind="folder", keys=(student,), when=users.get(student, "")
        )


def _users(scores: Path) -> dict[str, str]:
    """Return the time at which each user handed in."""
    try:
        with scores.open(encoding="utf-8-sig", newline="") as file:
            return {
                row["username"]: row.get("datetime") or ""
                for row in csv.DictReader(file)
                if row.get("username")
            }
    except (OSError, csv.Error, UnicodeDecodeError):
        return {}
