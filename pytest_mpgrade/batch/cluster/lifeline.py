"""`mpgrade` on a node: on cores of its own, and ended when whoever started it is gone.

Started as `python -m pytest_mpgrade.batch.cluster.lifeline PARENT SCRATCH CORES COMMAND …`, with a
pipe as standard input that nobody writes to: its end is the end of our parent, also of one that was
killed, and then SCRATCH goes too. The kernel's death signal would come when the thread that started
us ends, and engines end threads as they like.
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
"""Seconds in which a grading that was ended has to have done so."""
_PERIOD = 0.2


def main() -> None:
    """Run a command of `mpgrade`; the exit code is its own, or 2 where there are not as many
    cores.
    """
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
        if os.getppid() != parent:  # nobody else is left to clean up
            shutil.rmtree(scratch, ignore_errors=True)


class TooFewCoresError(Exception):
    """This host does not let us have as many cores as a grading was promised."""


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
    """Run on *count* cores of this host that no other grading has; waits until there are so many.

    The kernel lets go of a core with its holder. Raises TooFewCoresError where there are not that
    many.
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
        # All or none: two that wait for each other's cores would wait for ever.
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
    """Lock a folder of the kernel's, the same for all users of a host; nothing is written."""
    file = os.open(folder, os.O_RDONLY)
    if not try_lock(file):
        os.close(file)
        return False
    held.callback(os.close, file)
    return True


if __name__ == "__main__":
    main()
