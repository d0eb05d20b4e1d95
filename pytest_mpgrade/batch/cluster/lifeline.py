"""Run `mpgrade` on a node: on cores of its own, and no longer than its parent lives.

Started as `python -m pytest_mpgrade.batch.cluster.lifeline PARENT SCRATCH CORES COMMAND …`, with a
pipe as standard input to which nobody writes. End of file on it means that the parent has ended,
even if it was killed. The command is ended then, and the folder SCRATCH is removed. The kernel's
parent-death signal is no alternative: it comes when the thread that started us ends, and engines
end threads at any time.
"""

from __future__ import annotations

import contextlib
import os
import random
import runpy
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence

from pytest_mpgrade.system.file_lock import try_lock

END_SECONDS = 25.0
"""How many seconds a grading has to end after SIGTERM, before its process exits at once."""
_PERIOD = 0.2
"""Seconds between two attempts, about. A grading takes some seconds, and a file on a network some
ms.
"""


def main() -> None:
    """Run a command of `mpgrade` on CORES cores, and exit with its code, or 2 for too few cores."""
    parent, scratch, cores = int(sys.argv.pop(1)), sys.argv.pop(1), int(sys.argv.pop(1))
    signal.signal(signal.SIGTERM, _end)
    try:
        threading.Thread(target=_watch, daemon=True).start()
        with own_cores(cores):
            runpy.run_module("pytest_mpgrade", run_name="__main__", alter_sys=True)
    except TooFewCoresError as error:
        print(f"mpgrade: {error}", file=sys.stderr)
        sys.exit(2)
    finally:
        if os.getppid() != parent:  # the parent has ended and cannot clean up
            shutil.rmtree(scratch, ignore_errors=True)


class TooFewCoresError(Exception):
    """This host allows fewer cores than a grading needs."""


def _end(number: int, _frame: object) -> None:
    sys.exit(128 + number)


def _watch() -> None:
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(END_SECONDS)
    os._exit(128 + signal.SIGTERM)


@contextlib.contextmanager
def own_cores(count: int) -> Iterator[None]:
    """Run on *count* cores that no other grading on this host has; wait until as many are free.

    The kernel releases the lock on a core when the process that holds it ends. Raises
    TooFewCoresError where fewer than *count* cores are allowed.
    """
    if sys.platform != "linux":
        yield
        return
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < count:
        raise TooFewCoresError(
            f"a grading wants {count} cores, and only {len(allowed)} are allowed here (see --cores)"
        )
    with contextlib.ExitStack() as held:
        os.sched_setaffinity(0, _taken(held, allowed, count))
        yield


def _taken(held: contextlib.ExitStack, allowed: Sequence[int], count: int) -> list[int]:
    while True:
        # Take all cores or none: gradings that hold some and wait for more would deadlock.
        with contextlib.ExitStack() as some:
            taken: list[int] = []
            for core in allowed:
                if len(taken) < count and _lock(some, f"/sys/devices/system/cpu/cpu{core}"):
                    taken.append(core)
            if len(taken) == count:
                held.push(some.pop_all())
                return taken
        time.sleep(_PERIOD * (0.5 + random.random()))  # noqa: S311 - so that two do not try in step


def _lock(held: contextlib.ExitStack, folder: str) -> bool:
    """Lock the folder of a core in /sys, which all users of a host share; nothing is written."""
    file = os.open(folder, os.O_RDONLY)
    if not try_lock(file):
        os.close(file)
        return False
    held.callback(os.close, file)
    return True


if __name__ == "__main__":
    main()
