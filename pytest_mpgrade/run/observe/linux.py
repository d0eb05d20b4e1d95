"""Observation on Linux: one thread starts the tree, traces it, and is the only one that ever waits.

That thread ends when wait4 says ECHILD. Every living descendant hangs on a chain of ancestors whose
top is an unreaped child of ours, and orphans come to us because we are a subreaper; so ECHILD
proves that nothing is left.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence

from pytest_mpgrade.isolation.start import Start
from pytest_mpgrade.records import ProcessState
from pytest_mpgrade.run.observe import launch
from pytest_mpgrade.run.observe.base import ObservedProcess, Roll
from pytest_mpgrade.system.linux import prctl, procfs, ptrace, syscalls

MOST_FAILURES = 100
"""Of the calls by which the tracing thread waits; one that goes on failing proves nothing any
more.
"""
_STOPS = (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)


class LinuxObserver:
    """See the module's docstring; `name` says whether ptrace was permitted."""

    sees_waits = True
    wait: Callable[[], bool] = staticmethod(ptrace.await_any)
    take: Callable[[], ptrace.Happened | None] = staticmethod(ptrace.take_any)
    """What the tracing thread waits with; whoever replaces them can hold it back."""

    def __init__(self, *, trace: bool, user: int = 0, most: int = 0) -> None:
        self.name = "ptrace" if trace else "proc"
        self.sees_exits = trace
        self.seen = Roll()
        self._stopped: set[int] = set()
        # processes that were met before their parent's fork event
        self._unannounced: set[int] = set()
        self._threads: set[int] = set()  # ids met that are threads, not processes
        self._early: dict[int, tuple[int, ptrace.Used]] = {}  # ends of what had not been met
        self._most = most  # processes at a time; 0: any number
        self._read_as = user if user and not ptrace.may_trace_anybody() else 0
        self._root = 0
        self.taken = 0
        self._taking = False  # the tracing thread has something in hand
        self._error: OSError | None = None  # it could not be started
        # an event could not be taken in: nothing that is known is sure any more
        self._failed: Exception | None = None
        self._nothing_left = False  # the kernel has said so
        self._ready = threading.Event()
        self._thread: threading.Thread | None = None
        prctl.become_subreaper()

    def start(self, how: Start) -> int:
        """Start the process; it waits until it is traced."""
        self._thread = threading.Thread(target=self._watch, args=(how,), daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._error is not None:
            raise self._error
        return self._root

    def refresh(self) -> None:
        """Without ptrace: find processes that are new, and note those that are gone.

        Raises RuntimeError where an event could not be taken in.
        """
        if self._failed is not None:
            raise RuntimeError(
                f"the thread that watches the process tree broke: {self._failed}"
            ) from self._failed
        if self.sees_exits:
            return
        now = set(procfs.descendants(os.getpid()))
        for pid in now:
            if pid not in self.seen:
                self.seen[pid] = _met(pid)
            known = self.seen[pid]
            command = procfs.command_line(pid)
            parent = self.seen.get(known.parent)
            if command and parent is not None and command != procfs.command_line(parent.pid):
                known.command = command
        for pid, known in self.seen.items():
            known.ended = known.ended or (pid not in now and not _below_us(pid))

    def meet(self, pid: int) -> bool:
        """Where it is traced, it was met before it could run."""
        if pid not in self.seen and not self.sees_exits and _below_us(pid):
            self.seen[pid] = _met(pid)
        return pid in self.seen

    def state(self, pid: int) -> ProcessState:
        """Return what /proc says; a process whose first thread alone has ended is alive."""
        letter = procfs.state(pid)
        if letter in ("", "X"):
            return "gone"
        return "zombie" if letter == "Z" and all(map(_over, procfs.tasks(pid))) else "alive"

    def threads(self, pids: Sequence[int]) -> list[procfs.Thread]:
        """Look at the threads of these processes in /proc."""
        with self._reading():
            return [
                thread for pid in pids for thread in procfs.look_at_threads(pid, syscalls.timed)
            ]

    def chars_read(self, pid: int) -> int:
        """Return what /proc says; it says 0 of processes that may not be looked into."""
        with self._reading():
            return procfs.chars_read(pid)

    def memory(self, pid: int) -> int:
        """Return what /proc says; it says 0 of processes that may not be looked into."""
        with self._reading():
            return procfs.proportional_bytes(pid)

    def _reading(self) -> contextlib.AbstractContextManager[None]:
        """Be, for /proc, somebody who may look into the processes."""
        return ptrace.reading_as(self._read_as) if self._read_as else contextlib.nullcontext()

    def pending(self) -> bool:
        """Ask the kernel, then the tracing thread: what it has begun to take in, the kernel does
        not know any more.
        """
        return ptrace.awaits_us() or self._taking

    def stopped(self, pid: int) -> bool:
        """Tell whether the process is in a group-stop."""
        return pid in self._stopped or procfs.state(pid) == "T"

    def end_all(self, deadline: float) -> bool:
        """SIGKILL whatever is below us, again and again, until the waiting thread has seen
        ECHILD.
        """
        if self._thread is None:
            return True
        while self._thread.is_alive():
            with contextlib.suppress(OSError):  # a look that fails is tried again
                for pid in procfs.descendants(os.getpid()):
                    if procfs.state(pid) != "Z":
                        _kill(pid)
            self._thread.join(0.001)
            if time.monotonic() > deadline:
                return False
        return self._nothing_left  # a thread that broke has proven nothing

    def _watch(self, how: Start) -> None:
        try:
            self._begin(how)
        except OSError as error:
            self._error = error
        finally:
            self._ready.set()
        failures = 0
        while failures < MOST_FAILURES:
            try:
                if not self.wait():
                    self._nothing_left = True
                    return
                # before it is taken: `pending` looks for it in the kernel first
                self._taking = True
                happened = self.take()
                if happened and self._failed is None:
                    self._note(*happened)
            except Exception as error:
                # Go on waiting: else nobody would reap what is left, nor see that nothing is.
                self._failed = self._failed or error
                failures += 1
            self.taken += 1
            self._taking = False

    def _begin(self, how: Start) -> None:
        hold, release = os.pipe()
        self._root = os.fork()
        if self._root == 0:
            launch.become_program(how, hold, release)
        os.close(hold)
        self.seen[self._root] = ObservedProcess(
            pid=self._root, parent=os.getpid(), command=" ".join(how.argv)
        )
        if self.sees_exits:
            try:
                ptrace.seize(self._root)
            except OSError:
                self.name, self.sees_exits = "proc", False
        # it has ended: its folder may be gone, with the grader
        with contextlib.suppress(BrokenPipeError):
            os.write(release, b"x")
        os.close(release)

    def _note(self, pid: int, status: int, used: ptrace.Used) -> None:
        self._stopped.discard(pid)
        if not os.WIFSTOPPED(status):
            self._ended(pid, os.waitstatus_to_exitcode(status), used)
            return
        event, sent = status >> 16, os.WSTOPSIG(status)
        self._meet(pid)
        if event in (ptrace.EVENT_FORK, ptrace.EVENT_VFORK, ptrace.EVENT_CLONE):
            child = ptrace.event_message(pid)
            if (
                event != ptrace.EVENT_CLONE
                or child in self._unannounced
                or procfs.leader(child) == child
            ):
                self._born(child, pid)
            if not self._too_many():
                ptrace.resume(pid)
        elif event == ptrace.EVENT_EXEC:
            self._executed(pid)
            ptrace.resume(pid)
        elif event == ptrace.EVENT_STOP and sent in _STOPS:
            self._stopped.add(pid)
            ptrace.listen(pid)
        elif event != ptrace.EVENT_STOP or not self._too_many():
            ptrace.resume(pid, 0 if event else sent)

    def _too_many(self) -> bool:
        """Who forks while there are too many stays stopped, and so does the child: a fork bomb
        stands still by that.
        """
        return bool(self._most) and len(self.seen) > self._most < sum(
            not each.ended for each in self.seen.values()
        )

    def _meet(self, pid: int) -> None:
        """A child's first stop can come before its parent's fork event: it may live and end before
        that is told.
        """
        if pid in self.seen and not self.seen[pid].ended:
            return
        leader = procfs.leader(pid)
        if leader == pid:
            self._threads.discard(pid)
            self._unannounced.add(pid)
            self.seen[pid] = _met(pid)
        elif leader:
            self._threads.add(pid)

    def _born(self, child: int, by: int) -> None:
        """*by* may be a thread: the parent is the process that it belongs to."""
        if child in self._unannounced:
            self._unannounced.remove(child)
            return
        if child not in self.seen or self.seen[child].ended:
            parent = by if by in self.seen else procfs.parent(child)
            self.seen[child] = _met(child, parent)
        if child in self._early:
            self._ended(child, *self._early.pop(child))

    def _ended(self, pid: int, exitcode: int, used: ptrace.Used) -> None:
        if pid in self._threads:
            self._threads.remove(pid)
        elif pid in self.seen and not self.seen[pid].ended:
            known = self.seen[pid]
            known.exitcode, known.ended = exitcode, True
            known.cpu, known.peak = used.cpu, used.peak
        else:
            self._early[pid] = (exitcode, used)  # killed before its first stop

    def _executed(self, pid: int) -> None:
        if pid not in self.seen:
            self.seen[pid] = _met(pid)
        self.seen[pid].command = procfs.command_line(pid) or "?"


def _below_us(pid: int) -> bool:
    """Ask the other way round: a list of children may lack one when another ends meanwhile
    (proc_pid_task(5)).
    """
    # a parent may end in between; its children are a living ancestor's from then on
    for _ in range(3):
        above = pid
        while above > 1 and above != os.getpid():
            above = procfs.parent(above)
        if above > 1:
            return True
    return False


def _over(tid: int) -> bool:
    return procfs.state(tid) in ("", "X", "Z")


def _met(pid: int, parent: int = 0) -> ObservedProcess:
    """Return what is known of a process at first sight."""
    return ObservedProcess(pid=pid, parent=parent or procfs.parent(pid), inside=procfs.inside(pid))


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        return
