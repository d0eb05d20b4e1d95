"""Gradescope, "Export submissions": one folder ``submission_123/`` for each submission.

``submission_metadata.yml`` names the students.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pytest_mpgrade.batch.layouts.entry import LayoutEntry
from pytest_mpgrade.errors import UsageError

METADATA = "submission_metadata.yml"


def entries(root: Path) -> list[LayoutEntry]:
    """Read the export, or the folder above it.

    Raises UsageError where the extra `gradescope` is needed for that.
    """
    # Another folder may be a student's, and a file of that name in it proves nothing.
    inner = [child for child in root.iterdir() if not child.name.startswith(".")]
    places = [root, *(inner if len(inner) == 1 else [])]
    place = next((each for each in places if os.path.isfile(each / METADATA)), None)
    return [] if place is None else list(_entries(place, _metadata(place / METADATA)))


def _metadata(file: Path) -> dict[str, object]:
    try:
        import yaml
    except ImportError as error:
        raise UsageError(
            f"{METADATA} says whose submissions these are; to read it: pip install"
            " 'pytest-mpgrade[gradescope]'"
        ) from error
    try:
        found = yaml.safe_load(file.read_text("utf-8"))
    # A broken file makes the parser raise all kinds of errors: for dates, numbers, depth.
    except Exception as error:
        raise UsageError(f"{METADATA} cannot be read: {error}") from error
    return found if isinstance(found, dict) else {}


def _entries(place: Path, known: dict[str, object]) -> Iterator[LayoutEntry]:
    for path in sorted(place.glob("submission_*")):
        if not path.is_dir():
            continue
        told = known.get(path.name)
        told = told if isinstance(told, dict) else {}
        people = [each for each in told.get(":submitters") or () if isinstance(each, dict)]
        keys = [
            str(each[key])
            for each in people
            for key in (":sid", ":email", ":name")
            if each.get(key)
        ]
        names = [
            str(each.get(":sid") or each.get(":email") or each.get(":name")) for each in people
        ]
        created = str(told.get(":created_at", ""))
        yield LayoutEntry(
            student="+".join(names) or path.name,
            path=path,
            kind="folder",
            attempt=created,
            keys=tuple(keys),
            when=created,
        )
