"""The lock of a grading's log, held while any process of the grading is at work.

A grading that comes later waits until the earlier one is gone. The lock belongs to the open file.
The grading's process inherits that file, and so do the processes that end students' processes when
the grading's is killed: the lock ends with the last of them, however they end. Windows has no such
locks; there nothing is locked, and no grading waits.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.system.file_lock import try_lock
from pytest_mpgrade.system.waiting import wait_until

SECONDS = 30.0
"""A grading that is to end takes less than these seconds; one that keeps its log longer goes on."""
_PERIOD = 0.05
"""Seconds between two attempts: nobody notices, and it costs nothing."""
WORKS = sys.platform != "win32"
_HELD = "MPGRADE_HELD_LOG"


@contextlib.contextmanager
def log(file: Path) -> Iterator[BinaryIO]:
    """Open a log for a new grading, empty and locked.

    Raises UsageError where another grading keeps it for long.
    """
    with file.open("ab") as opened:
        if not _free(opened, SECONDS):
            raise UsageError(_in_use(file))
        opened.truncate(0)
        yield opened


def log_variable(log: BinaryIO) -> dict[str, str]:
    """Return the environment variable that names the locked log to a child process.

    It says which of the files that the process inherits is the log.
    """
    return {_HELD: f"{log.fileno()} {_identity(log.fileno())}"}


def inherited() -> tuple[int, ...]:
    """Return the file that `log_variable` names, for others to inherit (`pass_fds`).

    There is none where that file is not open here.
    """
    number, _, identity = os.environ.get(_HELD, "").partition(" ")
    with contextlib.suppress(OSError, ValueError):
        if WORKS and identity == _identity(int(number)):
            return (int(number),)
    return ()


def _identity(number: int) -> str:
    status = os.fstat(number)
    return f"{status.st_dev}.{status.st_ino}"


def is_free(file: Path) -> bool:
    """Tell whether no grading writes into a log; also True where there is no log."""
    try:
        with file.open("rb") as opened:
            return _free(opened, 0.0)
    except OSError:
        return True


def wait_for_log(file: Path) -> None:
    """Wait until no grading writes into a log. Raises UsageError where that takes long."""
    if not wait_until(lambda: is_free(file), SECONDS, _PERIOD):
        raise UsageError(_in_use(file))


def _in_use(file: Path) -> str:
    return (
        f"another grading writes into {file.parent}; wait until it has ended, or name another"
        " folder with --out"
    )


def _free(opened: BinaryIO, seconds: float) -> bool:
    """Lock an open file, in at most so many seconds; True also where nothing can be locked."""
    try:
        return wait_until(lambda: try_lock(opened.fileno()), seconds, _PERIOD)
    except OSError:
        return True
