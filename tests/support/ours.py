"""What a test process, and whatever it started, may have left: told by marks of our own, never by
difference.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil

from pytest_mpgrade.system.linux import procfs

SHM = Path("/dev/shm")

# After every test all processes are looked at; where /proc is, by hand, which takes a tenth of
# psutil's time.


def _below(pid: int) -> list[int]:
    if sys.platform == "linux":
        return procfs.descendants(pid)
    return [process.pid for process in psutil.Process(pid).children(recursive=True)]


def _newest() -> str:
    """Return the process or thread that was started last, on the whole machine (proc_loadavg(5));
    "" where unknown.
    """
    return Path("/proc/loadavg").read_text().split()[-1] if sys.platform == "linux" else ""


def _started_with(setting: str) -> Iterator[int]:
    """Yield the processes in whose environment some line begins with *setting*."""
    if sys.platform == "linux":
        for name in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError), open(f"/proc/{name}/environ", "rb") as file:
                if b"\0" + setting.encode() in b"\0" + file.read():
                    yield int(name)
        return
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if any(
                f"{name}={value}".startswith(setting) for name, value in process.environ().items()
            ):
                yield process.pid


def is_zygote(process: psutil.Process) -> bool:
    """Tell whether this is what our servers are forked from."""
    return process.ppid() == os.getpid() and _runs(process, "zygote")


def is_server(process: psutil.Process) -> bool:
    """Tell whether this is a server of ours, or one of a process that we have started."""
    return _runs(process, "server") or is_forked_server(process)


def is_forked_server(process: psutil.Process) -> bool:
    """Tell whether this is a server that was forked: the child of what they are forked from."""
    if not _runs(process, "zygote"):
        return False
    parent = psutil.Process(process.ppid())
    # A supervisor is a child of a server, and has the same command line.
    return _runs(parent, "zygote") and not _runs(psutil.Process(parent.ppid()), "zygote")


def _runs(process: psutil.Process, module: str) -> bool:
    try:
        return f"pytest_mpgrade.run.supervisor.{module}" in process.cmdline()
    except psutil.ZombieProcess:  # it is ending, and serves nobody any more
        return False


class Ours:
    """What this test process, and whatever it started, may have left: told by marks of our own,
    never by difference.
    """

    def __init__(self, temp: Path) -> None:
        self.temp = temp
        self.prefixes: set[str] = set()
        self._none_since = ""
        self._apart = {os.getpid(), *(process.pid for process in psutil.Process().parents())}

    def left(self) -> list[str]:
        """Name everything that is still there."""
        return [
            *(f"process {self._words(process)}" for process in self.processes()),
            *(f"shared memory or semaphore {name}" for name in self.names()),
            *(f"folder {path.name}" for path in self.temp.glob("mpgrade-*")),
        ]

    def processes(self) -> list[psutil.Process]:
        """Return our descendants, and orphans that were started with our TMPDIR, without idle
        servers.
        """
        newest = _newest()
        if newest and newest == self._none_since:
            return []
        found = []
        for pid in {*_below(os.getpid()), *_started_with(f"TMPDIR={self.temp}")} - self._apart:
            with contextlib.suppress(psutil.NoSuchProcess):
                process = psutil.Process(pid)
                if not self._idle(process):
                    found.append(process)
        self._none_since = "" if found else newest
        return found

    def names(self) -> list[str]:
        """Return the names in /dev/shm that carry the prefix of one of our runs."""
        noted = self.temp / "prefixes"
        told = noted.read_text().split() if noted.exists() else []
        marks = [prefix.lstrip("/") for prefix in (*self.prefixes, *told)]
        names = os.listdir(SHM) if SHM.is_dir() else []
        return [name for name in names if any(mark in name for mark in marks)]

    @staticmethod
    def _idle(process: psutil.Process) -> bool:
        """What servers are forked from is a child of ours, and a server that waits for its next
        request has no children.
        """
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            if process.ppid() == os.getpid():
                return is_zygote(process) or (is_server(process) and not _below(process.pid))
            return is_forked_server(process) and not _below(process.pid)
        except psutil.NoSuchProcess:
            return True

    @staticmethod
    def _words(process: psutil.Process) -> str:
        try:
            return f"{process.pid} ({process.status()}): {' '.join(process.cmdline())[:150]}"
        except psutil.Error:
            return str(process.pid)

    def sweep(self) -> None:
        """Remove what was left, so that one failure is one failure."""
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                process.kill()
        for name in self.names():
            with contextlib.suppress(OSError):
                (SHM / name).unlink()
        for path in self.temp.glob("mpgrade-*"):
            shutil.rmtree(path, ignore_errors=True)
