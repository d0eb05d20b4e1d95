"""nbgrader's `feedback/STUDENT/ASSIGNMENT/NOTEBOOK.html`, for `nbgrader release_feedback`.

That command (nbgrader/exchange/default/release_feedback.py of 0.9.6) also needs the submission's
`timestamp.txt` and `submission_secret.txt` beside the pages; they are copied from where the
submission was graded. Students fetch a page for each notebook that they submitted, so a page is
named like it; without one it is named like the module, and is there for instructors only.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

from pytest_mpgrade.batch.feedback.student import StudentFeedback
from pytest_mpgrade.batch.packing import left_out
from pytest_mpgrade.errors import UngradableError
from pytest_mpgrade.grade.grading import folder_name
from pytest_mpgrade.submission import handed_in
from pytest_mpgrade.system import atomic_write
from pytest_mpgrade.system.text import counted

_BESIDE = ("timestamp.txt", "submission_secret.txt")
_LACKING = (
    f"there is no {' or no '.join(_BESIDE)} beside what was graded; nbgrader collect puts them into"
    " submitted/, and mpgrade batch has to be given that folder"
)
_MOST = 10_000
"""Bytes of one of these files, which have a line."""
_MOST_NOTEBOOKS = 20
"""Notebooks of one submission that have a page."""
_LONGEST = 150
"""Bytes of a name, to which writing adds some."""


def nbgrader_feedback(students: Iterable[StudentFeedback], folder: Path) -> Iterator[str]:
    """Write a folder for each student; yield lines about them."""
    count, no_secret = 0, []
    for student in students:
        count += 1
        place = folder / _safe(student.id) / _safe(_assignment(student))
        handed = Path(student.shown.submission.path)
        page = student.html().encode()
        for name in _notebooks(handed)[:_MOST_NOTEBOOKS] or [_usual(student)]:
            atomic_write.write_bytes(page, place / f"{_safe(name)}.html")
        copied = [_copied(handed, name, place) for name in _BESIDE]
        if not all(copied):
            no_secret.append(student.id)
    yield (
        f"{folder} has {counted(count, 'folder')}; copy them into the course's feedback/ and run"
        " nbgrader release_feedback ASSIGNMENT"
    )
    if no_secret:
        yield left_out(no_secret, f"to release: {_LACKING}")


def _safe(name: str) -> str:
    """Return a name of nbgrader's as it is, if a folder can have it."""
    strange = "/" in name or "\\" in name or name in ("", ".", "..")
    return folder_name(name) if strange or len(os.fsencode(name)) > _LONGEST else name


def _assignment(student: StudentFeedback) -> str:
    """Return nbgrader's name of the assignment, which is that of the folder in the download."""
    parts = PurePosixPath(student.sources[0]).parts if student.sources else ()
    known = len(parts) > 1 and parts[-2] == student.id
    return parts[-1] if known else student.shown.assignment


def _usual(student: StudentFeedback) -> str:
    module = student.shown.submission.module
    return PurePosixPath(module).stem if module else student.shown.assignment


def _notebooks(handed: Path) -> list[str]:
    """Return the names, without suffix, of the notebooks at the top of a submission."""
    with suppress(UngradableError):
        if handed.is_dir():
            return sorted(
                PurePosixPath(file.name).stem
                for file in handed_in.files(handed)
                if not file.fault and "/" not in file.name and file.name.endswith(".ipynb")
            )
    return []


def _copied(handed: Path, name: str, into: Path) -> bool:
    """Copy a file of a submission, unless it is a link out of it: to somebody else's, say."""
    if handed_in.leads_out(handed / name, handed):
        return False
    try:
        data = handed_in.content(handed / name, _MOST)
    except OSError:
        return False
    atomic_write.write_bytes(data, into / name)
    return True
