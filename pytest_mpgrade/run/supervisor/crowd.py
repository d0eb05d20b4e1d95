"""Threads of the calling process that compute beside its calling thread, and take turns with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_mpgrade.system.linux import procfs

SHARE, SECONDS = 0.5, 0.05
"""Threads that have computed together for less than this part of the calling thread's time have not
kept it from its turn. And a thread that feeds a queue needs some time as well, but not so many
seconds.
"""


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """The threads of a process as a call begins, with the seconds for which each has run."""

    caller: int
    ran: Mapping[int, float]

    @classmethod
    def now(cls, caller: int) -> Crowd:
        """Look at the threads of the process *caller*."""
        ran = {tid: procfs.times(caller, tid)[0] for tid in procfs.tasks(caller)}
        return cls(caller=caller, ran=ran)

    def computed_since(self, *, new: bool) -> int:
        """Return how many threads have computed since then for long, beside the calling thread.

        With *new*, threads that were not there count as well.
        """
        now = Crowd.now(self.caller).ran
        more = {tid: ran - self.ran.get(tid, 0.0) for tid, ran in now.items()}
        mine = more.pop(self.caller, 0.0)
        others = [ran for tid, ran in more.items() if ran and (new or tid in self.ran)]
        return len(others) if sum(others) > max(SHARE * mine, SECONDS) else 0
