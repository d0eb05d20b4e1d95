"""Who is in the student's process tree, how each was started and how it ended.

Two implementations: `linux` (ptrace where it is permitted, else /proc) and `portable` (psutil),
which sees no exit status and may miss processes that live for less than its period.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pytest_mpgrade.isolation.start import Start
from pytest_mpgrade.records import Born, Helper, ProcessSeen, ProcessState
from pytest_mpgrade.system.linux.procfs import Thread


@dataclass(kw_only=True)
class ObservedProcess:
    """What is known of one process so far."""

    pid: int
    parent: int
    first: float = field(default_factory=time.monotonic)
    command: str = ""  # of its own exec; "" for a fork that has not called exec
    exitcode: int | None = None
    ended: bool = False
    cpu: float = 0.0
    # bytes: the largest resident set of one that has ended, or of a child that it waited for
    peak: int = 0
    ran_task: bool = False  # it has told of a task, in some call
    inside: int = 0  # its pid as it sees itself
    sandbox: bool = False  # it was there before the submission was: part of the isolation

    @property
    def helper(self) -> Helper:
        """Python's own helper processes may outlive a call, and so does what isolates it."""
        if self.sandbox:
            return "sandbox"
        if "resource_tracker import main" in self.command:
            return "resource tracker"
        return "fork server" if "forkserver import main" in self.command else ""

    def born(self, parent: ObservedProcess | None) -> Born:
        """Return how it was started, in the words of multiprocessing's start methods."""
        if self.helper:
            return "helper"
        if "spawn import spawn_main" in self.command:
            return "spawn"
        if parent is not None and parent.helper == "fork server":
            return "forkserver"
        return "exec" if self.command else "fork"

    def record(
        self,
        parent: ObservedProcess | None,
        at_return: ProcessState,
        later: ProcessState,
        began: float,
    ) -> ProcessSeen:
        """Return what is known, for the trace of a call that *began* at that `time.monotonic`."""
        return ProcessSeen(
            pid=self.pid,
            parent=self.parent,
            born=self.born(parent),
            helper=self.helper,
            ran_task=self.ran_task,
            exitcode=self.exitcode,
            at_return=at_return,
            later=later,
            first=round(self.first - began, 4),
            cpu=round(self.cpu, 4),
            inside=self.inside,
            reusable="loky.backend.popen" in self.command,
        )


class Roll(MutableMapping[int, ObservedProcess]):
    """All processes of a tree by their ids, in the order in which they were met; none is ever taken
    out.

    One thread enters processes while others look through them: whoever begins to look goes through
    those that were there then.
    """

    def __init__(self) -> None:
        self._entered: dict[int, ObservedProcess] = {}

    def __getitem__(self, pid: int) -> ObservedProcess:
        return self._entered[pid]

    def __setitem__(self, pid: int, seen: ObservedProcess) -> None:
        self._entered[pid] = seen

    def __delitem__(self, pid: int) -> None:
        raise TypeError("what has been seen stays known")

    def __iter__(self) -> Iterator[int]:
        return iter(list(self._entered))

    def __len__(self) -> int:
        return len(self._entered)


class Observer(Protocol):
    """Starts one process, watches its tree, ends it."""

    name: str
    sees_exits: bool  # exit statuses of all processes are known
    sees_waits: bool  # what threads wait for is known
    seen: Roll
    taken: int  # how much of what `pending` tells of has been taken in so far

    def start(self, how: Start) -> int:
        """Start the process; return its pid."""

    def refresh(self) -> None:
        """Take in what has happened; cheap, called often."""

    def meet(self, pid: int) -> bool:
        """Take in a process that has sent something; False where it is none of the tree's."""

    def state(self, pid: int) -> ProcessState:
        """Return "alive", "zombie" or "gone"."""

    def threads(self, pids: Sequence[int]) -> list[Thread]:
        """Look at all threads of these processes."""

    def chars_read(self, pid: int) -> int:
        """Return how many bytes the process has read so far, 0 where that cannot be known."""

    def memory(self, pid: int) -> int:
        """Return the bytes of the process that are in memory, shared ones divided by their users; 0
        if unknown.
        """

    def pending(self) -> bool:
        """Tell whether something has happened that the tree cannot go on from before we have taken
        it in.

        Such as a traced process that has started another, which stands still until then; or one
        that has ended, of which its parent does not hear until then, however it waits.
        """

    def stopped(self, pid: int) -> bool:
        """Tell whether the process was stopped by a signal and waits to be continued."""

    def end_all(self, deadline: float) -> bool:
        """Kill the whole tree; True when it is proven that nothing is left, by the given
        `time.monotonic`.
        """


def nothing_moves(observer: Observer, pids: Sequence[int]) -> bool:
    """Tell whether all these processes are asleep, stopped by a signal, or gone, and nothing in the
    tree waits for us.

    Asked before and after the look: while it is taken, what waits for us may come or be taken in.
    """
    moving = observer.pending() or any(
        _moves(observer, thread) for thread in observer.threads(pids)
    )
    return not moving and not observer.pending()


def _moves(observer: Observer, thread: Thread) -> bool:
    """Who is traced shows "t" when a signal has stopped it, and at each event until it is let go
    on.
    """
    return thread.state in "RD" or (thread.state == "t" and not observer.stopped(thread.pid))
