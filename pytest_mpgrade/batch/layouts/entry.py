"""One file or folder of a download, as a course system names it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class LayoutEntry:
    """Whose file or folder it is, how the student named it, and to which attempt it belongs."""

    student: str  # a name for the submission, unique in the course
    path: Path
    name: str = ""  # a file's name, as the student chose it; "" for a folder
    kind: str = "file"  # "file", "folder", or what is not graded: "text", "link", "comment"
    attempt: str = ""  # the greatest text among a student's attempts counts
    order: int = 0  # of files with the same name in an attempt, the highest counts
    late: bool = False
    when: str = ""  # time of handing in, if the names have one; see `timestamps`
    # names by which a roster may know the student: user id, user name, e-mail address
    keys: tuple[str, ...] = ()


def named_files(root: Path, pattern: re.Pattern[str]) -> Iterator[tuple[Path, re.Match[str]]]:
    """Yield the children of a folder whose names match, sorted."""
    for path in sorted(root.iterdir()):
        match = pattern.match(path.name)
        if match is not None:
            yield path, match
