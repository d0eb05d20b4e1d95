"""Canvas, "Upload Submissions": files with the names of its download become comments.

Canvas (generate_comments_from_files in canvas-lms) reads two numbers from a name, the user's and
that of the file that was handed in, so only a file of the download can be answered. It shows the
answer under the name of that file, whatever is in it: the feedback on ``cv_funcs.py`` is therefore
one that is valid Python, on a notebook a notebook, on an archive an archive with a page. How it
reads the names of an anonymous download could not be seen.

Its gradebook import takes no comments, so `comments.csv` is for scripts that use its API.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from pytest_mpgrade.batch.feedback.student import StudentFeedback
from pytest_mpgrade.batch.packing import PAGE, file_name, left_out, needed
from pytest_mpgrade.report import terminal
from pytest_mpgrade.system import atomic_write
from pytest_mpgrade.system.text import counted, points
from pytest_mpgrade.system.zip_files import write_zip, zip_bytes

ARCHIVE, COMMENTS = "canvas-submissions.zip", "comments.csv"
NEEDS = needed("Canvas", "Download Submissions, on the page of the assignment")
_NAME = re.compile(
    r"(?:LATE_)?(?:anon_(?P<anon>[A-Za-z0-9]+)|.*?_(?:LATE_)?(?P<uid>\d+))_\d+_(?P<file>.+)",
    re.DOTALL,
)
_AGAIN = re.compile(r"-\d+(?=\.[^.]*$|$)")
"""A resubmission has a number before the suffix."""
_ID = re.compile(r".+_(?P<uid>\d+)")
_FORMULA = ("=", "+", "-", "@", "\t")
"""A spreadsheet takes a cell that begins so for a formula."""


def canvas_feedback(students: Iterable[StudentFeedback], folder: Path) -> Iterator[str]:
    """Write the zip and the comments; yield lines about them."""
    members: dict[str, bytes] = {}
    rows, unknown = [], []
    for student in students:
        named = _answered(student)
        if named is None:
            unknown.append(student.id)
        else:
            members[file_name(named)] = _content(student, PurePosixPath(named).suffix.lower())
        rows.append(_row(student, named))
    if not members:
        yield NEEDS
        return
    _write_comments(rows, folder / COMMENTS)
    write_zip(members, folder / ARCHIVE)
    yield (
        f"{folder / ARCHIVE} has {counted(len(members), 'file')}; upload it in the assignment"
        " under Upload Submissions: Canvas adds each file as a comment"
    )
    if unknown:
        yield left_out(unknown, "the names of what was graded have no number of a file")
    yield f"{folder / COMMENTS} has the same in short, for scripts"


def known_to_canvas(_: str, sources: Iterable[str]) -> bool:
    """Tell whether the names of the download are known that a submission was made of."""
    return any(map(_NAME.fullmatch, sources))


def _answered(student: StudentFeedback) -> str | None:
    """Return the name of the file of the download that is answered: the module, if it is there."""
    found = [match for source in student.sources if (match := _NAME.fullmatch(source))]
    module = student.shown.submission.module
    best = (match for match in found if _AGAIN.sub("", match["file"]) == module)
    match = next(best, found[0] if found else None)
    return match.string if match else None


def _content(student: StudentFeedback, suffix: str) -> bytes:
    """Return the feedback as a file of this kind, which the student's programs can open."""
    if suffix == ".ipynb":
        cell = {"cell_type": "markdown", "metadata": {}, "source": student.markdown()}
        notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
        return json.dumps(notebook, ensure_ascii=False, indent=1).encode()
    if suffix == ".zip":
        return zip_bytes({PAGE: student.html().encode()})
    if suffix in (".html", ".htm"):
        return student.html().encode()
    text = student.text()
    if suffix == ".py":
        text = "".join(f"# {line}".rstrip() + "\n" for line in text.splitlines())
    return text.encode("utf-8", "backslashreplace")


def _row(student: StudentFeedback, named: str | None) -> tuple[str, str, str, str]:
    """Return a row: the user's number in Canvas, the submission, the points, and what to fix."""
    match = (_NAME.fullmatch(named) if named else None) or _ID.fullmatch(student.id)
    user = (match.groupdict().get("uid") or match.groupdict().get("anon") or "") if match else ""
    final = student.shown.final
    score = "" if final is None else points(final)
    said = terminal.fix_first(student.shown) or student.shown.reason
    return user, student.id, score, said


def _write_comments(rows: Iterable[tuple[str, str, str, str]], path: Path) -> None:
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(("ID", "submission", "score", "comment"))
    for row in rows:
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in row])
    atomic_write.write_bytes(table.getvalue().encode("utf-8", "backslashreplace"), path)
