"""Observation with psutil, for practice mode on macOS and Windows.

These have neither ptrace nor /proc. The observer finds orphans by the mark that every process of
the run inherits in its environment. It cannot see the exit statuses of the student's own children,
and it may miss a process that lives for less than the period between two looks.
"""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Sequence

import psutil

from pytest_mpgrade.isolation.start import Start
from pytest_mpgrade.records import ProcessState
from pytest_mpgrade.run.observe.base import ObservedProcess, Roll
from pytest_mpgrade.system.linux.procfs import Thread

_LETTERS = {
    psutil.STATUS_RUNNING: "R",
    psutil.STATUS_DISK_SLEEP: "D",
    psutil.STATUS_ZOMBIE: "Z",
    psutil.STATUS_STOPPED: "T",
    psutil.STATUS_TRACING_STOP: "t",
}
MARK = "MPGRADE_RUN"


class PsutilObserver:
    """See the module's docstring."""

    name = "psutil"
    sees_exits = False
    sees_waits = False
    taken = 0

    def __init__(self) -> None:
        self.seen = Roll()
        self._process: subprocess.Popen[bytes] | None = None
        self._mark = ""

    def start(self, how: Start) -> int:
        """Start the process in a session of its own; there is no isolation to enter."""
        self._mark = how.env[MARK]
        with open(how.out, "ab") as out_file, open(how.err, "ab") as err_file:
            self._process = subprocess.Popen(
                list(how.argv),
                env=dict(how.env),
                cwd=how.cwd,
                stdin=subprocess.DEVNULL,
                stdout=out_file,
                stderr=err_file,
                start_new_session=True,
            )
        self.seen[self._process.pid] = ObservedProcess(
            pid=self._process.pid, parent=0, command=" ".join(how.argv)
        )
        return self._process.pid

    def refresh(self) -> None:
        """Take in the tree as it is now."""
        if self._process is None:
            return
        code = self._process.poll()
        root = self.seen[self._process.pid]
        root.exitcode = code
        if code is not None:
            root.end()
        now = self._tree()
        for process in now:
            try:
                known = self.seen.setdefault(
                    process.pid, ObservedProcess(pid=process.pid, parent=process.ppid())
                )
                command = " ".join(process.cmdline())  # empty for one that is ending
                if command and command != (
                    self.seen[known.parent].command if known.parent in self.seen else ""
                ):
                    known.command = command
                known.cpu = sum(process.cpu_times()[:2])
            except psutil.Error:
                continue
        there = {process.pid for process in now}
        for pid, known in self.seen.items():
            if pid not in there and pid != self._process.pid:
                known.end()

    def _tree(self) -> list[psutil.Process]:
        assert self._process is not None
        try:
            return psutil.Process(self._process.pid).children(recursive=True)
        except psutil.Error:
            return []

    def meet(self, pid: int) -> bool:
        """Take in the tree once more, since the process may be new; tell whether it is there."""
        self.refresh()
        return pid in self.seen

    def state(self, pid: int) -> ProcessState:
        """Return the state that psutil reports."""
        try:
            return "zombie" if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE else "alive"
        except psutil.Error:
            return "gone"

    def threads(self, pids: Sequence[int]) -> list[Thread]:
        """Return one sample of each process, as if it were one thread.

        The system call in which it sleeps is not known.
        """
        samples = []
        for pid in pids:
            try:
                process = psutil.Process(pid)
                with process.oneshot():
                    ran = int(sum(process.cpu_times()[:2]) * 1e9)
                    letter = _LETTERS.get(process.status(), "S")
                    switches = process.num_ctx_switches().voluntary
            except psutil.Error:
                continue
            samples.append(
                Thread(
                    pid=pid,
                    tid=pid,
                    state=letter,
                    switches=switches,
                    ran=ran,
                    queued=0,
                    timed=letter != "Z",
                    syscall="",
                )
            )
        return samples

    def chars_read(self, pid: int) -> int:
        """Return what psutil reports, 0 where the system does not say."""
        try:
            return int(getattr(psutil.Process(pid).io_counters(), "read_chars", 0))
        except (psutil.Error, AttributeError):
            return 0

    def memory(self, pid: int) -> int:
        """Return what psutil reports.

        These are resident bytes where the system does not divide shared ones.
        """
        try:
            process = psutil.Process(pid)
            return int(getattr(process.memory_full_info(), "pss", 0) or process.memory_info().rss)
        except psutil.Error:
            return 0

    def pending(self) -> bool:
        """Return False: we trace nothing, and `refresh` reaps our only child."""
        return False

    def stopped(self, pid: int) -> bool:
        """Tell whether the process is stopped."""
        try:
            return psutil.Process(pid).status() == psutil.STATUS_STOPPED
        except psutil.Error:
            return False

    def end_all(self, deadline: float) -> bool:
        """Kill the tree and every process with our mark until there are none."""
        if self._process is None:
            return True
        while True:
            rest = [
                p for p in {*self._tree(), *_marked(self._mark)} if self.state(p.pid) == "alive"
            ]
            for process in rest:
                try:
                    process.kill()
                except psutil.Error:
                    continue
            if self._process.poll() is not None and not rest:
                return True
            if time.monotonic() > deadline:
                return False
            psutil.wait_procs(rest, timeout=0.1)


def _marked(mark: str) -> list[psutil.Process]:
    """Return every process with a run's mark in its environment. This is slow."""
    processes = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark:
                processes.append(process)
        except (psutil.Error, OSError):
            continue
    return processes


def end_marked(mark: str, seconds: float = 10.0) -> None:
    """Kill every process that carries a run's mark, after its supervisor itself was killed."""
    deadline = time.monotonic() + seconds
    while (rest := _marked(mark)) and time.monotonic() < deadline:
        for process in rest:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(rest, timeout=0.2)
