"""The result of an earlier grading, and whether it still holds; a batch that is resumed asks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pytest_mpgrade import __version__
from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.grade.grading import ASSIGNED, Grading, deciding, folder_name
from pytest_mpgrade.grade.pytest_run import Options
from pytest_mpgrade.records import RESULT_FILE, Assignment, Status
from pytest_mpgrade.report import result_json
from pytest_mpgrade.submission import lacking
from pytest_mpgrade.submission.discover import discover


def kept(path: Path, assignment: Assignment, out: Path, *, options: Options) -> Grading | None:
    """Return an earlier grading, where it is whole and still holds.

    It holds while neither submission, assignment nor mpgrade have changed. The submission is read
    last, and only where nothing else has changed: who grades it again reads it anyway.
    """
    earlier = _earlier(out, options)
    # A person may have given points where the grader broke: it is tried again all the same.
    if earlier is None or earlier.result.by_machine().status is Status.ERROR:
        return None
    now = {"mpgrade": __version__, ASSIGNED: deciding(assignment, options)}
    if not now.items() <= earlier.result.environment.items():
        return None
    try:
        submission = discover(path, assignment, options.id)
    except Exception:  # Whatever the error is, a new grading reports it.
        return None
    return earlier if earlier.result.submission.sha256 == submission.sha256 else None


def standing(path: Path, assignment: Assignment, out: Path, *, options: Options) -> Grading | None:
    """Return an earlier grading whether it still holds or not, and say which; None without one."""
    found = _earlier(out, options)
    status = found.result.by_machine().status if found else Status.ERROR
    if found is None or status is Status.ERROR:
        return found
    if status is Status.GRADED:
        holds = kept(path, assignment, out, options=options) is not None
    else:
        holds = not _can_be_read(path, assignment, options.id)
    return replace(found, outdated=not holds)


def _earlier(out: Path, options: Options) -> Grading | None:
    folder = out / (options.folder or folder_name(options.id))
    try:
        result = result_json.read_result(folder / RESULT_FILE)
    except UsageError:
        return None
    return Grading(result=result, folder=folder, kept=True)


def _can_be_read(path: Path, assignment: Assignment, id: str) -> bool:
    try:
        lacking.require(discover(path, assignment, id), assignment)
    except Exception:
        return False
    return True
