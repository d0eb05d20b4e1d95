"""A program of ours and all processes below it, for one that runs without a supervisor."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import psutil

from pytest_mpgrade.system.waiting import wait_until

_PERIOD = 0.05
"""Seconds between two looks at whether processes have ended."""
_LONGEST = 5.0
"""Seconds that a process which was killed may take to end."""


class ProcessTree:
    """Knows every process that was seen below a program, also when its parent has ended.

    A process id may be given to another process later. psutil compares the times at which they were
    started, so no stranger is ever ended.
    """

    def __init__(self, pid: int) -> None:
        self._processes: dict[int, psutil.Process] = {}
        with contextlib.suppress(psutil.Error):
            self._processes[pid] = psutil.Process(pid)

    def look(self) -> None:
        """Look for processes that were started meanwhile."""
        for known in list(self._alive()):
            with contextlib.suppress(psutil.Error):
                for child in known.children():
                    self._processes.setdefault(child.pid, child)

    def alive(self) -> list[int]:
        """Return the ids of all that still run, the program's first and then by number."""
        return [process.pid for process in self._alive()]

    def command(self, pid: int) -> str:
        """Return the command line of one of them; "" where that is not known."""
        with contextlib.suppress(psutil.Error):
            return " ".join(self._processes[pid].cmdline())
        return ""

    def kill(self, patience: float) -> int:
        """Kill all that still run *patience* seconds from now; return how many these were.

        The program itself is left a zombie for whoever started it.
        """
        self.look()
        wait_until(lambda: not self.alive(), patience, _PERIOD)
        late = list(self._alive())
        for process in late:
            with contextlib.suppress(psutil.Error):
                process.kill()
        wait_until(lambda: not self.alive(), _LONGEST, _PERIOD)
        return len(late)

    def _alive(self) -> Iterator[psutil.Process]:
        first, *others = [*self._processes] or [0]
        for pid in (first, *sorted(others)):
            process = self._processes.get(pid)
            with contextlib.suppress(psutil.Error):
                if (
                    process is not None
                    and process.is_running()
                    and process.status() != psutil.STATUS_ZOMBIE
                ):
                    yield process
