"""Samples of the Python stacks of a call while it runs: where is time spent outside of tasks?

A submission that was measured to be slow has one more run for this. The samples are reported, and
decide nothing.
"""

from __future__ import annotations

import os
import time
from collections import Counter

from pytest_mpgrade.records import Doing, Frame, Look, Role
from pytest_mpgrade.run.explain.doing import doing_of, own_frame, source_of
from pytest_mpgrade.run.explain.stacks import Stacks
from pytest_mpgrade.run.observe.watch import Watch
from pytest_mpgrade.system.linux import blocked
from pytest_mpgrade.system.linux.blocked import Blocked

PERIOD = 0.02
"""Seconds between two samples. A task that computes takes longer, and each look costs under 1 ms.
"""
_TASKS = os.path.join("inside", "workloads.py")


class Looks:
    """Takes one stack at a time, of the caller and its workers in turn."""

    def __init__(self, watch: Watch, stacks: Stacks) -> None:
        self._watch, self._stacks = watch, stacks
        self._next = 0.0
        self._taken = 0
        self._of: Counter[Role] = Counter()
        self._seen: Counter[tuple[Role, Doing, Frame]] = Counter()

    def take(self) -> None:
        """Sample the next process, unless the last sample was just now.

        `Watch` calls this while it waits for the call.
        """
        if time.monotonic() < self._next:
            return
        watch = self._watch
        workers = [pid for pid in watch.workers_alive() if watch.observer.seen[pid].ran_task]
        pids = [watch.caller, *workers]
        pid = pids[self._taken % len(pids)]
        self._taken += 1
        blocked_in = blocked.look_at_main_thread(pid) if watch.observer.sees_waits else Blocked()
        threads = self._stacks.of(pid)
        if threads:
            self._note(Role.PARENT if pid == watch.caller else Role.WORKER, threads[-1], blocked_in)
        self._next = time.monotonic() + PERIOD

    def _note(self, role: Role, frames: list[Frame], blocked_in: Blocked) -> None:
        self._of[role] += 1
        own = own_frame(frames, self._stacks)
        if own is not None and not any(frame.file.endswith(_TASKS) for frame in frames):
            self._seen[role, doing_of(frames, self._stacks, blocked_in), own] += 1

    def found(self) -> tuple[Look, ...]:
        """Return where processes were outside of tasks, the most frequent place first."""
        return tuple(
            Look(
                role=role,
                doing=doing,
                file=os.path.basename(own.file),
                line=own.line,
                code=source_of(own),
                times=times,
                of=self._of[role],
            )
            for (role, doing, own), times in self._seen.most_common(8)
        )
