"""The Python files of a submission as text, to be shown beside its result."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath

from pytest_mpgrade.errors import UngradableError
from pytest_mpgrade.submission import handed_in
from pytest_mpgrade.submission.digest import digest
from pytest_mpgrade.submission.discover import own_files
from pytest_mpgrade.submission.handed_in import File

_MOST_BYTES, _MOST_FILES = 200_000, 40
"""Bytes of one file, and files of a submission: nobody reads more on a page."""


def python_files(path: Path, sha256: str) -> dict[str, str]:
    """Return the texts of a submission's Python files, by the names that results give to lines.

    There is none where the submission is not at *path* any more, or has another hash than it had
    when it was graded: the lines of its result would be others. Of a submission that could not be
    graded no hash is known (""). Of files with the same name the one nearest to the top counts, and
    without a single one, none.
    """
    if not os.path.exists(path):
        return {}
    try:
        files = _files(Path(os.path.abspath(path)))
        if sha256 and digest(files) != sha256:
            return {}
    except (UngradableError, OSError):
        return {}
    named: dict[str, list[File]] = {}
    for file in files:
        if file.name.lower().endswith(".py") and not file.fault and file.size <= _MOST_BYTES:
            named.setdefault(PurePosixPath(file.name).name, []).append(file)
    texts = {name: _text(one) for name, same in named.items() if (one := _nearest(same))}
    kept = [(name, text) for name, text in texts.items() if text is not None]
    return dict(kept[:_MOST_FILES])


def _files(place: Path) -> Sequence[File]:
    """Return the files as the grading has counted them for the hash."""
    if place.is_dir():
        return own_files(place.resolve())
    return (handed_in.look_at_file(place.parent.resolve() / place.name),)


def _nearest(same: Sequence[File]) -> File | None:
    top = min(file.name.count("/") for file in same)
    nearest = [file for file in same if file.name.count("/") == top]
    return nearest[0] if len(nearest) == 1 else None


def _text(file: File) -> str | None:
    with suppress(OSError):
        return handed_in.content(file.path, _MOST_BYTES).decode("utf-8-sig", "replace")
    return None
