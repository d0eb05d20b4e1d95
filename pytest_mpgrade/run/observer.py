"""Who is in the student's process tree, how each was started and how it ended.

Two implementations: `observe_linux` (ptrace where it is permitted, else /proc) and `observe_portable` (psutil), which
sees no exit status and may miss processes that live for less than its period.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pytest_mpgrade.records import ProcessSeen
from pytest_mpgrade.run.linux.procfs import Thread


@dataclass(kw_only=True)
class Seen:
    """What is known of one process so far."""

    pid: int
    parent: int
    first: float = field(default_factory=time.monotonic)
    command: str = ""  # of its own exec; "" for a fork that has not called exec
    exitcode: int | None = None
    ended: bool = False
    cpu: float = 0.0

    @property
    def helper(self) -> str:
        """Python's own helper processes may outlive a call."""
        if "resource_tracker import main" in self.command:
            return "resource tracker"
        return "fork server" if "forkserver import main" in self.command else ""

    def born(self, parent: Seen | None) -> str:
        """Return how it was started, in the words of multiprocessing's start methods."""
        if self.helper:
            return "helper"
        if "spawn import spawn_main" in self.command:
            return "spawn"
        if parent is not None and parent.helper == "fork server":
            return "forkserver"
        return "exec" if self.command else "fork"

    def record(self, parent: Seen | None, at_return: str, later: str, began: float) -> ProcessSeen:
        """Return what is known, for the trace of a call that *began* at that `time.monotonic`."""
        return ProcessSeen(
            pid=self.pid,
            parent=self.parent,
            born=self.born(parent),
            helper=self.helper,
            exitcode=self.exitcode,
            at_return=at_return,
            later=later,
            first=round(self.first - began, 4),
            cpu=round(self.cpu, 4),
        )


class Observer(Protocol):
    """Starts one process, watches its tree, ends it."""

    name: str
    sees_exits: bool  # exit statuses of all processes are known
    sees_waits: bool  # what threads wait for is known
    seen: dict[int, Seen]

    def start(self, argv: Sequence[str], env: Mapping[str, str], cwd: str, out: str, err: str) -> int:
        """Start the process with its streams in files; return its pid."""

    def refresh(self) -> None:
        """Take in what has happened; cheap, called often."""

    def state(self, pid: int) -> str:
        """Return "alive", "zombie" or "gone"."""

    def threads(self, pids: Sequence[int]) -> list[Thread]:
        """Look at all threads of these processes."""

    def stopped(self, pid: int) -> bool:
        """Tell whether the process was stopped by a signal and waits to be continued."""

    def end_all(self, deadline: float) -> bool:
        """Kill the whole tree; True when it is proven that nothing is left, by the given `time.monotonic`."""


def choose(wanted: str) -> Observer:
    """Return the observer asked for: "auto", "ptrace", "proc" or "psutil"."""
    if wanted == "psutil" or not sys.platform.startswith("linux"):
        from pytest_mpgrade.run.observe_portable import PsutilObserver

        return PsutilObserver()
    from pytest_mpgrade.run.observe_linux import LinuxObserver

    return LinuxObserver(trace=wanted != "proc")
