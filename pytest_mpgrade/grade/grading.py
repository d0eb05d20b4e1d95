"""The grading of one submission, in a `python -m pytest` of its own.

Its result file is there from the first moment. The command line and every batch executor call it;
`pytest_run` starts and ends the process.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from pytest_mpgrade import __version__
from pytest_mpgrade.course.tables import with_limits
from pytest_mpgrade.errors import LackingError, MpgradeError, UngradableError, UsageError
from pytest_mpgrade.grade.pytest_run import (
    LOG,
    Options,
    budget,
    last_line,
    run_pytest,
)
from pytest_mpgrade.judge.points import rubric
from pytest_mpgrade.records import (
    RESULT_FILE,
    Assignment,
    Concern,
    Entry,
    Finding,
    Outcome,
    Report,
    Status,
    Submission,
)
from pytest_mpgrade.report import exports, redaction, result_json
from pytest_mpgrade.report.causes import causes_of
from pytest_mpgrade.report.result_json import ResultFile
from pytest_mpgrade.session.handover import Handover
from pytest_mpgrade.submission import lacking
from pytest_mpgrade.system import atomic_write
from pytest_mpgrade.system.text import one_line
from pytest_mpgrade.system.timestamps import utc_stamp

NOT_YET = "not graded yet"
GRADABLE = "can_be_graded"
"""The only check of a submission of which no test could be made."""
ASSIGNED = "assignment_sha256"
"""The key under which a final result identifies its tests, limits and points."""
_LONGEST_NAME = 60
"""Characters, to which a hash may be added: file systems allow 255 bytes, of which one character
may need 4.
"""
_TAKEN = frozenset(
    ("", "gradebook.csv", "mapping.csv", "items.csv", "overrides.csv", "feedback", "report")
)


@dataclass(frozen=True, kw_only=True)
class Grading:
    """The outcome of grading one submission: its result, and its folder.

    The folder holds the result file and the log.
    """

    result: ResultFile
    folder: Path
    kept: bool = False  # of an earlier time
    outdated: bool = False  # kept although the submission, the tests or mpgrade have changed


def grade(
    path: Path, assignment: Assignment, out: Path, *, options: Options | None = None
) -> Grading:
    """Grade the submission at *path*; the result is in a folder of its own below *out*.

    Raises UsageError where *path* is missing or *out* cannot be used. Any other failure becomes a
    result, with status `ungradable` or `error`. On Ctrl-C the processes are ended, the partial
    result stays, and the interrupt is passed on.
    """
    chosen = options or Options()
    shown = Submission(id=chosen.id or default_id(path), path=str(path))
    folder = out / (chosen.folder or folder_name(shown.id))
    _check_places(path, folder)
    _record(shown, assignment, folder, chosen, Status.ERROR, NOT_YET)
    try:
        submission = _discover(Path(os.path.abspath(path)), assignment, shown.id)
        lacking.require(submission, assignment)
    except UngradableError as error:
        return refused(path, assignment, out, options=chosen, error=error)
    except MpgradeError:
        raise
    except Exception as error:
        why = f"the grader could not read the submission: {type(error).__name__}: {error}"
        return _record(shown, assignment, folder, chosen, Status.ERROR, why, _broken(why))
    found = Handover(assignment=with_limits(assignment, chosen.limits), submission=submission)
    limit = chosen.seconds or found.assignment.limits.submission_seconds
    ended = run_pytest(found, folder, chosen, budget(chosen, limit))
    return _finish(shown, assignment, folder, ended, chosen)


def refused(
    path: Path, assignment: Assignment, out: Path, *, options: Options, error: UngradableError
) -> Grading:
    """Keep the result of a submission that is at fault itself, or that needs what is not there."""
    shown = Submission(id=options.id or default_id(path), path=str(path))
    folder = out / (options.folder or folder_name(shown.id))
    ours = isinstance(error, LackingError)
    status = Status.ERROR if ours else Status.UNGRADABLE
    entry = _only_check(Outcome.ERROR if ours else Outcome.FAILED, error)
    return _record(shown, assignment, folder, options, status, str(error), entry)


def failed_grading(
    path: Path, assignment: Assignment, out: Path, *, options: Options, reason: str
) -> Grading:
    """Return an `error` result where the grader itself broke; it is kept where that works."""
    shown = Submission(id=options.id or default_id(path), path=str(path))
    folder = out / (options.folder or folder_name(shown.id))
    report = _report(shown, assignment, Status.ERROR, reason, _broken(reason))
    try:
        return _keep(report, folder, assignment, options)
    except UsageError:
        return Grading(result=report, folder=folder)


def default_id(path: Path) -> str:
    """Return the name of a folder, or of a file without its suffix."""
    whole = path.resolve()
    return (whole.stem if whole.is_file() else whole.name) or "submission"


def folder_name(id: str) -> str:
    """Return a safe folder name for a submission's id.

    A name that had to be changed ends with a hash, to stay unique.
    """
    name = re.sub(r"[^\w .@+=-]", "_", id)
    name = re.sub(r"^[.\-\s]+|[.\s]+$", "_", name)[:_LONGEST_NAME]
    if name == id and name not in _TAKEN:
        return name
    return f"{name}-{hashlib.sha256(id.encode('utf-8', 'surrogateescape')).hexdigest()[:8]}"


def _check_places(path: Path, folder: Path) -> None:
    if not path.exists():
        raise UsageError(f"there is no submission at {path}")
    if path.is_dir() and folder.resolve().is_relative_to(path.resolve()):
        raise UsageError(
            f"the results would be written into the submission {path}; name another folder with"
            " --out"
        )


def _discover(path: Path, assignment: Assignment, id: str) -> Submission:
    from pytest_mpgrade.submission.discover import discover

    return discover(path, assignment, id)


def deciding(assignment: Assignment, options: Options) -> str:
    """Return a hash of all that decides a verdict, except the submission."""
    from pytest_mpgrade.course.assignment import fingerprint

    # What only some tests have graded is no result for all of them.
    some = f" -k {options.keyword}" if options.keyword else ""
    return fingerprint(with_limits(assignment, options.limits)) + some


def _record(
    shown: Submission,
    assignment: Assignment,
    folder: Path,
    options: Options,
    status: Status,
    reason: str,
    *entries: Entry,
) -> Grading:
    return _keep(_report(shown, assignment, status, reason, *entries), folder, assignment, options)


def _broken(reason: str) -> Entry:
    return _only_check(Outcome.ERROR, MpgradeError(reason))


def _only_check(outcome: Outcome, error: MpgradeError) -> Entry:
    """Return the only check of a submission of which nothing could be tried: why, and where."""
    source = getattr(error, "source", {})
    finding = Finding(
        check=GRADABLE,
        title="what was handed in can be read, and what it needs is there",
        concern=Concern.IMPORT,
        outcome=outcome,
        message=str(error),
        hint=getattr(error, "hint", ""),
        evidence={"source": source} if source else {},
    )
    return Entry(
        id=f"submission/{GRADABLE}", criterion="", question="", start_method="", finding=finding
    )


def _report(
    shown: Submission, assignment: Assignment, status: Status, reason: str, *entries: Entry
) -> ResultFile:
    """Return a result of which no test is part."""
    report = Report(
        assignment=assignment.name,
        submission=shown,
        status=status,
        reason=reason,
        score=rubric.ungraded(assignment.criteria),
        entries=entries,
        containment={"level": "not run", "missing": []},
        environment=_environment(),
        started=utc_stamp(),
    )
    return result_json.as_result(report)


def _keep(result: ResultFile, folder: Path, assignment: Assignment, options: Options) -> Grading:
    """Write the result file and its exports.

    Both are also written of a result that says that nothing is graded yet.
    """
    result_json.write_result(result, folder / RESULT_FILE)
    for name, given in options.exports:
        usual, render = exports.FORMATS[name]
        path = Path(given) if given else folder / usual
        shown = redaction.redacted(result, assignment.criteria)
        atomic_write.write_bytes(render(*shown).encode("utf-8", "backslashreplace"), path)
        if name in exports.ALSO:
            exports.ALSO[name](*shown)
    return Grading(result=result, folder=folder)


def _environment() -> dict[str, object]:
    cpus = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    return {
        "python": platform.python_version(),
        "platform": sys.platform,
        "cpus": cpus,
        "mpgrade": __version__,
    }


def _finish(
    shown: Submission, assignment: Assignment, folder: Path, ended: str, options: Options
) -> Grading:
    """Read the result back; where it is not a final one, say why in it."""
    try:
        result = result_json.read_result(folder / RESULT_FILE)
    except UsageError as error:
        return _record(
            shown, assignment, folder, options, Status.ERROR, str(error), _broken(str(error))
        )
    reason = result.reason
    if result.status is Status.ERROR and reason == NOT_YET:
        reason = ended or f"the grading ended without a result; {last_line(folder / LOG)}"
    elif result.status is Status.ERROR and ended:
        reason = f"{ended}; {reason}"
    # The grading was given a whole path; the result names it as the user did.
    part = dataclasses.replace(result.submission, path=one_line(shown.path))
    checks = (
        result.checks or _report(shown, assignment, Status.ERROR, reason, _broken(reason)).checks
    )
    environment = result.environment | {ASSIGNED: deciding(assignment, options)}
    causes = result.causes or causes_of(result)  # without any, the grading ended early
    whole = dataclasses.replace(
        result,
        reason=reason,
        submission=part,
        environment=environment,
        checks=checks,
        causes=causes,
    )
    return _keep(whole, folder, assignment, options)
