"""The setting that all runs of one grading share: assignment, submission, limits, isolation."""

from __future__ import annotations

import dataclasses
import os
import shutil
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from pytest_mpgrade.course.assignment import find_assignment, kept_from_students
from pytest_mpgrade.course.tables import with_limits
from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.isolation import choose
from pytest_mpgrade.records import Assignment, Submission
from pytest_mpgrade.run.client import supervisor_pool
from pytest_mpgrade.run.client.request import Setting
from pytest_mpgrade.session.handover import Handover
from pytest_mpgrade.submission import lacking
from pytest_mpgrade.submission.discover import discover
from pytest_mpgrade.submission.staging import importable, stage
from pytest_mpgrade.system import rmtree


def setting(name: str, config: pytest.Config) -> Setting:
    """Return the setting that pytest's options ask for.

    Raises MpgradeError for wrong usage and what is ungradable.
    """
    # the last of all: when nothing is left that has to be removed
    config.add_cleanup(supervisor_pool.end_all)
    if not config.option.collectonly:  # editors list tests again and again
        supervisor_pool.guard()
    plugins = config.pluginmanager.get_plugins()
    handed = next((each for each in plugins if isinstance(each, Handover)), None)
    found = handed or _found(name, config)  # a user's own pytest has been handed nothing
    assignment = found.assignment
    submission = _reachable(found.submission, assignment.module, config)
    observer = str(config.getoption("--mpgrade-observer"))
    wanted = "none" if observer == "psutil" else str(config.getoption("--mpgrade-isolation"))
    out = config.getoption("--mpgrade-out")
    hidden = [*kept_from_students(assignment), *([str(out)] if out else [])]
    module = os.path.join(submission.folder, submission.module)
    python = _interpreter(assignment)
    if assignment.notebook:
        assignment = dataclasses.replace(
            assignment, notebook=dataclasses.replace(assignment.notebook, python=python)
        )
    return Setting(
        assignment=assignment,
        submission=submission,
        observer=observer,
        isolation=choose.choose_isolation(wanted, module=module, hidden=hidden, python=python),
    )


def _found(name: str, config: pytest.Config) -> Handover:
    """Find what a user's options name."""
    limits: Sequence[str] = config.getoption("--mpgrade-limit")
    assignment = with_limits(find_assignment(name), limits)
    path = Path(config.getoption("--mpgrade-submission") or config.invocation_params.dir)
    submission = discover(path, assignment, config.getoption("--mpgrade-id"))
    lacking.require(submission, assignment)
    return Handover(assignment=assignment, submission=submission)


def _interpreter(assignment: Assignment) -> str:
    """Return the path of the interpreter that executes notebooks; "" for the grader's own."""
    wanted = assignment.notebook.python if assignment.notebook else ""
    interpreter = shutil.which(os.path.expanduser(wanted)) if wanted else ""
    if interpreter is None:
        raise UsageError(
            f"the notebook's kernel cannot be started: there is no interpreter {wanted}"
        )
    return os.path.abspath(interpreter) if interpreter else ""


def _reachable(submission: Submission, module: str, config: pytest.Config) -> Submission:
    """Return the submission, or a copy of it where it cannot be graded in its place.

    That is one that cannot be imported by its name, or that a spare user cannot read. A file by
    itself is copied too: what lies beside it may be somebody else's.
    """
    # A notebook is never copied here: each run has a copy to write in.
    plain = Path(submission.path).is_dir() and importable(submission)
    another = hasattr(os, "geteuid") and os.geteuid() == 0  # student code may run as another user
    if plain and (not another or _open_to_all(Path(submission.folder))):
        return submission
    supervisor_pool.guard()
    scratch = tempfile.TemporaryDirectory(prefix=rmtree.MARK, ignore_cleanup_errors=True)
    config.add_cleanup(scratch.cleanup)
    os.chmod(scratch.name, 0o755)  # noqa: S103 - read by a spare user
    return stage(submission, Path(scratch.name), module)


def _open_to_all(folder: Path) -> bool:
    """Tell whether any user can read all that lies in a folder, and get there."""
    if not all(place.stat().st_mode & stat.S_IXOTH for place in (folder, *folder.parents)):
        return False
    for place, folders, files in os.walk(folder):
        for name in folders + files:
            mode = os.lstat(os.path.join(place, name)).st_mode
            wanted = stat.S_IROTH | (stat.S_IXOTH if stat.S_ISDIR(mode) else 0)
            if not stat.S_ISLNK(mode) and mode & wanted != wanted:
                return False
    return True
