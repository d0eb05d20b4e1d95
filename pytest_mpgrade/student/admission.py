"""How many runs a grading makes at a time.

It makes a few, and more while the machine's cores and memory are free. Runs mostly wait: at gates,
for interpreters to start, and those that hang for nothing at all. A fixed number would leave cores
idle behind hanging runs, and crowd a machine on which other gradings run.
"""

from __future__ import annotations

import math
import os
import threading
import time

from pytest_mpgrade.system import machine, quotas

MOST = 16
"""Runs at a time, however many cores are free; each has a server and a few processes."""
ALWAYS = 2
"""Runs at a time, however busy the cores are. With more, a submission that computes without end
crowds its own runs off the cores, and those of others.
"""
WINDOW_SECONDS = 0.05
"""Seconds for which cores must have been free before one more run begins: a few of the kernel's
ticks, in which it counts. The next window counts what that run uses.
"""
FREE_CORES = 0.4
"""The cores that one run uses while it does not wait, about."""


class Admission:
    """A context in which a run is made; it waits until there is room.

    One run is always admitted, and as many as the memory holds if each takes *bytes_each*, its
    limit: otherwise the kernel could kill one run for memory that others have taken. More than
    `ALWAYS` need idle cores. Under a quota of cores the grader cannot measure that, and admits a
    few, by the size of the quota.
    """

    def __init__(self, bytes_each: int) -> None:
        self._bytes_each = bytes_each
        cores = quotas.cores()
        fit = max(1, (machine.memory_bytes() - 1) // bytes_each)
        quota = cores < quotas.usable_cores()
        few = max(ALWAYS, min(6, math.ceil(cores) + 1)) if quota else ALWAYS
        self._always = min(few, fit)
        self._most = self._always if quota else min(MOST, fit)
        self._running = 0
        self._changed = threading.Condition()
        self._since, self._used = time.monotonic(), machine.used()

    def __enter__(self) -> None:
        with self._changed:
            while not self._has_room():
                self._changed.wait(WINDOW_SECONDS)
            self._running += 1

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._running -= 1
            self._changed.notify()

    def _has_room(self) -> bool:
        if self._running < self._always:
            return True
        return self._running < self._most and self._cores_were_free() and self._memory_is_free()

    def _cores_were_free(self) -> bool:
        """Tell whether cores were free in the window that has just ended, and begin another.

        The answer is False before the window ends.
        """
        now = time.monotonic()
        passed = now - self._since
        if passed < WINDOW_SECONDS:
            return False
        before, self._since, self._used = self._used, now, machine.used()
        return (os.cpu_count() or 1) - (self._used - before) / passed > FREE_CORES

    def _memory_is_free(self) -> bool:
        return machine.available_bytes() > self._bytes_each
