"""What all requests share: a run's folder and environment, its report, the last cleaning up."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from pytest_mpgrade.errors import BrokenOffError, SupervisorError, SupervisorKilledError
from pytest_mpgrade.isolation.layer import Isolation
from pytest_mpgrade.isolation.run_folder import RunFolder
from pytest_mpgrade.records import Assignment, Submission
from pytest_mpgrade.run.client import supervisor_pool
from pytest_mpgrade.run.observe import leftovers
from pytest_mpgrade.run.observe.portable import end_marked
from pytest_mpgrade.run.protocol import (
    BrokenOffReport,
    CallsReport,
    CallsRequest,
    CellsReport,
    CellsRequest,
    KilledReport,
    report_in,
)
from pytest_mpgrade.system import rmtree

SPARE_SECONDS = 60.0
"""Seconds that a supervisor gets beyond the sum of its own limits before the client gives it up."""

_Report = TypeVar("_Report", CallsReport, CellsReport)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What is the same for all runs of one grading."""

    assignment: Assignment
    submission: Submission
    observer: str = "auto"
    isolation: Isolation = field(default_factory=Isolation)


@contextmanager
def workspace() -> Iterator[tuple[RunFolder, str]]:
    """Give a run its folder, and the prefix of its names for semaphores and shared memory.

    At the end both the folder and the objects with such names are removed.
    """
    folder = tempfile.mkdtemp(prefix=rmtree.MARK)
    prefix = f"/mg{secrets.token_hex(3)}"  # names of shared memory have 14 characters in all
    try:
        yield RunFolder.make(folder), prefix
    except SupervisorError:
        # Where ptrace is permitted this finds nothing, since traced processes die with the
        # supervisor.
        end_marked(prefix)
        raise
    finally:
        leftovers.remove_leftovers(prefix)  # there are some only if the supervisor was killed
        rmtree.remove_tree(folder)


_KEPT = ("PATH", "LANG", "SYSTEMROOT", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
"""The variables of the grader's environment that student code sees. The last two keep OpenBLAS from
crashing on some machines.
"""


def environment(folder: RunFolder, prefix: str) -> dict[str, str]:
    """Return the environment of the process that runs student code."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    scratch = folder.scratch
    return (
        kept
        | {
            "HOME": scratch,
            "TMPDIR": scratch,
            "TEMP": scratch,
            "MPGRADE_RUN": prefix,
            "USER": "student",
            "LOGNAME": "student",
            "no_proxy": "*",  # nor those that macOS and Windows have for the whole machine
        }
        | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONIOENCODING": "utf-8:backslashreplace"}
        | {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
    )


def most_processes(setting: Setting) -> int:
    """Return the kernel's limit of processes inside a sandbox of our own; 0 where there is none."""
    return 2 * setting.assignment.limits.processes + 100 if setting.isolation.bwrap else 0


def ask_supervisor(
    request: CallsRequest | CellsRequest, seconds: float, kind: type[_Report]
) -> _Report:
    """Have a request served within *seconds* and `SPARE_SECONDS`; return the report.

    The report has to be of the given *kind*. Raises SupervisorError when the supervisor broke, for
    which the grader or the machine is to blame.
    """
    line = supervisor_pool.ask_server(request, seconds + SPARE_SECONDS)
    try:
        report = report_in(line)
    except msgspec.MsgspecError as error:
        raise SupervisorError(
            f"the supervisor's report cannot be read: {line[:200].decode(errors='replace')}"
            f" ({error})"
        ) from None
    if isinstance(report, BrokenOffReport):
        raise BrokenOffError("the grading was broken off")
    if isinstance(report, KilledReport):
        raise SupervisorKilledError(f"the supervisor was killed by signal {report.signal}")
    if not isinstance(report, kind):
        raise SupervisorError(
            f"the supervisor's report is of another kind: {type(report).__name__}"
        )
    if not report.clean:
        raise SupervisorError("some process of the run could not be ended")
    return report
