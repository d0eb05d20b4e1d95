"""The processes of a student's tree: how each was started, and how it ended.

There are two observers. `linux` uses ptrace where it is permitted, else /proc. `portable` uses
psutil, which reports no exit status and may miss processes that live for less than its period.
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
    """What the observer knows of one process so far."""

    pid: int
    parent: int
    first: float = field(default_factory=time.monotonic)
    command: str = ""  # of its last exec; "" for a fork that has not called exec
    exitcode: int | None = None
    ended_at: float | None = None  # `time.monotonic` at which the end was taken in
    reaped_at: float | None = None  # and of the first look that found it reaped
    cpu: float = 0.0
    # Bytes, when it has ended: its largest resident set, or that of a child that it waited for.
    peak: int = 0
    ran_task: bool = False  # it has reported a task, in this call or an earlier one
    serves: bool = False  # it was a manager's server when it was asked for its stack
    inside: int = 0  # its pid in its own pid namespace
    sandbox: bool = False  # part of the isolation: it ran before the submission was imported

    @property
    def ended(self) -> bool:
        """Whether the process has ended."""
        return self.ended_at is not None

    def end(self) -> None:
        """Note that the process has ended by now."""
        self.ended_at = time.monotonic() if self.ended_at is None else self.ended_at

    def look(self, state: ProcessState) -> ProcessState:
        """Note whether a process that has ended is reaped by now; return its *state*."""
        if state == "gone" and self.ended and self.reaped_at is None:
            self.reaped_at = time.monotonic()
        return state

    @property
    def helper(self) -> Helper:
        """The helper that this process is, "" for a process of the student's.

        Python's own helper processes may outlive a call, and so may the processes of the isolation.
        """
        if self.sandbox:
            return "sandbox"
        if "resource_tracker import main" in self.command:
            return "resource tracker"
        return "fork server" if "forkserver import main" in self.command else ""

    def born(self, parent: ObservedProcess | None) -> Born:
        """Return how the process was started, in the words of multiprocessing's start methods."""
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
        """Return what is known, for the trace of a call.

        *began* is the `time.monotonic` at which the call began.
        """
        return ProcessSeen(
            pid=self.pid,
            parent=self.parent,
            born=self.born(parent),
            helper=self.helper,
            ran_task=self.ran_task,
            manager=self.serves,
            exitcode=self.exitcode,
            at_return=at_return,
            later=later,
            first=round(self.first - began, 4),
            ended=_since(began, self.ended_at),
            reaped=_since(began, self.reaped_at),
            cpu=round(self.cpu, 4),
            inside=self.inside,
            reusable="loky.backend.popen" in self.command,
        )


def _since(began: float, moment: float | None) -> float | None:
    return None if moment is None else round(moment - began, 4)


class Roll(MutableMapping[int, ObservedProcess]):
    """All processes of a tree by their ids, in the order in which the observer noticed them.

    No process is ever taken out. One thread enters processes while others iterate, so an iteration
    goes over a copy of the ids.
    """

    def __init__(self) -> None:
        self._entered: dict[int, ObservedProcess] = {}

    def __getitem__(self, pid: int) -> ObservedProcess:
        return self._entered[pid]

    def __setitem__(self, pid: int, process: ObservedProcess) -> None:
        self._entered[pid] = process

    def __delitem__(self, pid: int) -> None:
        raise TypeError("what has been seen stays known")

    def __iter__(self) -> Iterator[int]:
        return iter(list(self._entered))

    def __len__(self) -> int:
        return len(self._entered)


class Observer(Protocol):
    """Starts one process, watches its tree, ends it."""

    name: str
    sees_exits: bool  # it knows the exit statuses of all processes
    sees_waits: bool  # it knows what threads wait for
    seen: Roll
    taken: int  # number of events taken in so far, of those that `pending` asks for

    def start(self, how: Start) -> int:
        """Start the process; return its pid."""

    def refresh(self) -> None:
        """Take in what has happened. This is cheap, and called often."""

    def meet(self, pid: int) -> bool:
        """Take in a process that has sent a message; return False if it is not of the tree."""

    def state(self, pid: int) -> ProcessState:
        """Return "alive", "zombie" or "gone"."""

    def threads(self, pids: Sequence[int]) -> list[Thread]:
        """Return one sample of all threads of these processes."""

    def chars_read(self, pid: int) -> int:
        """Return how many bytes the process has read so far, 0 where that cannot be known."""

    def memory(self, pid: int) -> int:
        """Return the bytes of the process that are in memory, 0 if unknown.

        Bytes that several processes share are divided by their number.
        """

    def pending(self) -> bool:
        """Tell whether an event waits for the observer, so that a part of the tree cannot go on.

        One such event is a fork: a traced process that has forked stands still until the observer
        has taken the event in. Another is an end: a parent does not learn that a child has ended,
        however it waits, until the observer has taken it in.
        """

    def stopped(self, pid: int) -> bool:
        """Tell whether a signal has stopped the process, and nobody has continued it."""

    def end_all(self, deadline: float) -> bool:
        """Kill the whole tree; return True when it is proven that no process is left.

        *deadline* is a `time.monotonic`.
        """


def nothing_moves(observer: Observer, pids: Sequence[int]) -> bool:
    """Tell whether these processes are at rest, and no event of the tree waits for the observer.

    A process is at rest if it is asleep, stopped by a signal, or gone. Pending events are asked for
    before and after the threads are sampled: an event may come, or be taken in, while that lasts.
    """
    moving = observer.pending() or any(
        _moves(observer, thread) for thread in observer.threads(pids)
    )
    return not moving and not observer.pending()


def _moves(observer: Observer, thread: Thread) -> bool:
    """Tell whether a thread runs, waits for a disk, or is held by the tracer.

    A traced thread has the state "t" when a signal has stopped it, and also at each ptrace event
    until the tracer lets it go on. Only the first of these is rest.
    """
    return thread.state in "RD" or (thread.state == "t" and not observer.stopped(thread.pid))
