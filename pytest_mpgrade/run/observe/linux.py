"""Observation on Linux: one thread starts the tree, traces it, and is the only one that waits.

That thread ends when wait4(2) says ECHILD. Every living descendant hangs on a chain of ancestors
whose top is an unreaped child of ours, and orphans become our children because we are a subreaper.
So ECHILD proves that no process is left.
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
"""Failures of the calls by which the tracing thread waits. A call that fails so often will go on
failing, and proves nothing any more.
"""
_STOPS = (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)


class LinuxObserver:
    """See the module's docstring. `name` says whether ptrace was permitted."""

    sees_waits = True
    wait: Callable[[], bool] = staticmethod(ptrace.await_any)
    take: Callable[[], ptrace.Happened | None] = staticmethod(ptrace.take_any)
    """The calls by which the tracing thread waits; a test replaces them to hold the thread back."""

    def __init__(self, *, trace: bool, user: int = 0, most: int = 0) -> None:
        self.name = "ptrace" if trace else "proc"
        self.sees_exits = trace
        self.seen = Roll()
        self._stopped: set[int] = set()
        # processes entered before their parent's fork event
        self._unannounced: set[int] = set()
        self._threads: set[int] = set()  # ids of threads that are no processes
        self._early: dict[int, tuple[int, ptrace.Used]] = {}  # ends of processes not entered yet
        self._most = most  # processes at a time; 0: any number
        self._read_as = user if user and not ptrace.may_trace_anybody() else 0
        self._root = 0
        self.taken = 0
        self._taking = False  # the tracing thread is taking in an event
        self._error: OSError | None = None  # from starting the process
        # from taking in an event: what is known of the tree may be wrong from then on
        self._failed: Exception | None = None
        self._nothing_left = False  # the kernel has said so
        self._ready = threading.Event()
        self._thread: threading.Thread | None = None
        prctl.become_subreaper()

    def start(self, how: Start) -> int:
        """Start the process; it does nothing before it is traced."""
        self._thread = threading.Thread(target=self._watch, args=(how,), daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._error is not None:
            raise self._error
        return self._root

    def refresh(self) -> None:
        """Without ptrace: enter processes that are new, and note those that are gone.

        Raises RuntimeError if the tracing thread could not take in an event.
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
            if not known.ended and pid not in now and not _below_us(pid):
                known.end()

    def meet(self, pid: int) -> bool:
        """Enter a process that has sent a message; a traced one was entered before it could run."""
        if pid not in self.seen and not self.sees_exits and _below_us(pid):
            self.seen[pid] = _met(pid)
        return pid in self.seen

    def state(self, pid: int) -> ProcessState:
        """Return what /proc says; a process is alive even if its first thread alone has ended."""
        letter = procfs.state(pid)
        if letter in ("", "X"):
            return "gone"
        return "zombie" if letter == "Z" and all(map(_over, procfs.tasks(pid))) else "alive"

    def threads(self, pids: Sequence[int]) -> list[procfs.Thread]:
        """Return one sample from /proc of the threads of these processes."""
        with self._reading():
            return [
                thread for pid in pids for thread in procfs.look_at_threads(pid, syscalls.timed)
            ]

    def chars_read(self, pid: int) -> int:
        """Return what /proc says, which is 0 where we may not look into the process."""
        with self._reading():
            return procfs.chars_read(pid)

    def memory(self, pid: int) -> int:
        """Return what /proc says, which is 0 where we may not look into the process."""
        with self._reading():
            return procfs.proportional_bytes(pid)

    def _reading(self) -> contextlib.AbstractContextManager[None]:
        """Read /proc as a user who may look into the processes."""
        return ptrace.reading_as(self._read_as) if self._read_as else contextlib.nullcontext()

    def pending(self) -> bool:
        """Ask the kernel for events, then the tracing thread.

        The kernel forgets an event as soon as the tracing thread has begun to take it in.
        """
        return ptrace.awaits_us() or self._taking

    def stopped(self, pid: int) -> bool:
        """Tell whether the process is in a group-stop."""
        return pid in self._stopped or procfs.state(pid) == "T"

    def end_all(self, deadline: float) -> bool:
        """Send SIGKILL to all descendants, repeatedly, until the tracing thread has got ECHILD."""
        if self._thread is None:
            return True
        while self._thread.is_alive():
            with contextlib.suppress(OSError):  # the next round tries again
                for pid in procfs.descendants(os.getpid()):
                    if procfs.state(pid) != "Z":
                        with contextlib.suppress(OSError):
                            os.kill(pid, signal.SIGKILL)
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
                # Set before the event is taken, because `pending` asks the kernel first.
                self._taking = True
                happened = self.take()
                if happened and self._failed is None:
                    self._note(*happened)
            except Exception as error:
                # Go on waiting: no other thread reaps what is left, or learns that nothing is.
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
        # A broken pipe: the process has ended, its folder may be gone with the grader.
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
        """Tell whether more processes live than may.

        A process that forks then stays stopped, and so does its child: a fork bomb stands still.
        """
        return bool(self._most) and len(self.seen) > self._most < sum(
            not each.ended for each in self.seen.values()
        )

    def _meet(self, pid: int) -> None:
        """Enter a process at its first stop, which can come before its parent's fork event.

        The child may even end before that event.
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
        """Enter the child of a fork event.

        *by* may be a thread: the parent is the process that the thread belongs to.
        """
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
            known.exitcode, known.cpu, known.peak = exitcode, used.cpu, used.peak
            known.end()
        else:
            self._early[pid] = (exitcode, used)  # killed before its first stop

    def _executed(self, pid: int) -> None:
        if pid not in self.seen:
            self.seen[pid] = _met(pid)
        self.seen[pid].command = procfs.command_line(pid) or "?"


def _below_us(pid: int) -> bool:
    """Tell whether a process is a descendant of ours, by its ancestors.

    A list of children may lack one when another ends meanwhile (proc_pid_task(5)).
    """
    # Three times, because a parent may end in between. Its children then get another parent.
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
    """Return what is known of a process when it is entered."""
    return ObservedProcess(pid=pid, parent=parent or procfs.parent(pid), inside=procfs.inside(pid))
