"""A limit of time that stands still while other programs have the cores.

docs/gates.md, own-time, has the reason. A thread that wants a core either runs or is queued for one
(/proc/PID/task/TID/schedstat, in ns; Documentation/scheduler/sched-stats.rst of Linux). Where the
tree has more such threads than there are cores, its own threads keep each other waiting, and that
is the program's affair. N threads that want a core at a time, on C cores, have min(1, C / N) of a
core each on an idle machine.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

from pytest_mpgrade.system.linux.procfs import Thread

MOST = 5.0
"""The largest part of a limit by which it is put off, as a multiple of the limit. There has to be
one, because the client has to know when the run is over.
"""
CROWD = 4.0
"""A tree that wants more than so many times the cores of the machine starves itself and others, and
its limit runs. Right solutions have one process for each of a few tasks at a time.
"""
LEAST_SECONDS = 0.05
"""A smaller loss is measured too roughly to put the deadline off."""


class Deadline:
    """The time `at` which a run is late, put off by what its threads have lost.

    A thread loses the time for which other programs have kept it from the *cores* since the
    deadline was set.
    """

    def __init__(self, cores: float) -> None:
        self.at = math.inf
        self._cores = cores
        self._most = self._granted = 0.0
        self._since: float | None = None
        self._first: Mapping[int, Thread] = {}

    def begin(self, now: float, seconds: float) -> None:
        """Set the deadline, and forget the looks before it."""
        self.at = now + seconds
        self._most, self._granted = MOST * seconds, 0.0
        self._since, self._first = None, {}

    def look(self, now: float, threads: Callable[[], Iterable[Thread]]) -> None:
        """Look at the threads of the tree once, at *now*.

        A thread that starts after it counts with all of its life.
        """
        if self._since is None:
            self._since, self._first = now, {thread.tid: thread for thread in threads()}

    def passed(self, now: float, threads: Callable[[], Iterable[Thread]]) -> bool:
        """Tell whether the run is late: the deadline has come, and is not put off."""
        if now <= self.at:
            return False
        more = min(self.lost(now, threads()), self._most) - self._granted
        if more < LEAST_SECONDS:
            return True
        self._granted += more
        self.at += more
        return False

    def lost(self, now: float, threads: Iterable[Thread]) -> float:
        """Return the seconds that the tree, or the thread that is worst off, has lost to others.

        They count from the first look, so they are 0.0 for what has ended before a look. Threads
        that take turns at a lock, such as Python's own, lose little each, and much together.
        """
        if self._since is None or now <= self._since:
            return 0.0
        wanted = [self._wanted(thread) for thread in threads]
        total = sum(ran + queued for ran, queued in wanted)
        at_a_time = total / (now - self._since)
        if at_a_time > CROWD * self._cores:
            return 0.0
        share = min(1.0, self._cores / at_a_time) if at_a_time else 1.0
        each = [ran + queued - ran / share for ran, queued in wanted]
        return max([sum(each) / max(1.0, at_a_time), *each])

    def _wanted(self, thread: Thread) -> tuple[float, float]:
        """Return the seconds that a thread has run, and those queued, since the first look."""
        first = self._first.get(thread.tid)
        ran = thread.ran - (first.ran if first else 0)
        queued = thread.queued - (first.queued if first else 0)
        return ran / 1e9, queued / 1e9
