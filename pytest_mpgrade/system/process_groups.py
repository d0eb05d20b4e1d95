"""Processes that lead a group of their own: how one has ended, and the end of its group.

A process keeps its id until it has been reaped, and so does its group. After that the kernel may
give the id to any other process (setpgid(2), pid_namespaces(7)): a signal to the group of a process
that was reaped may hit a stranger. So nothing here reaps a process before the last signal has been
sent.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Protocol

from pytest_mpgrade.system.waiting import wait_until

KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
"""The signal that no process can refuse; Windows has only one way to end a process."""
_PERIOD = 0.02
"""Seconds between two looks: less than an interpreter takes to end."""


class Leader(Protocol):
    """A process that leads a group, such as a `subprocess.Popen`; it need be no child of ours."""

    returncode: int | None  # how it has ended, once it was reaped

    @property
    def pid(self) -> int:
        """Return its id; raise OSError where it was not started."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended, and reap it."""


def exit_status(process: Leader, seconds: float) -> int | None:
    """Return how a process has ended, as `returncode` would say it; None while it runs.

    It waits for so many seconds at most. On Linux the process remains a zombie, and is not reaped.
    """
    if process.returncode is not None:
        return process.returncode
    if sys.platform != "linux":
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(seconds)
        return None
    end = time.monotonic() + seconds
    try:
        while (ended := _ended(process.pid)) is None and time.monotonic() < end:
            await_end(process.pid, max(0.0, end - time.monotonic()))
    except OSError:  # somebody else has reaped it, or it never began
        return process.wait()
    return ended


def _ended(pid: int) -> int | None:
    """Return how a process has ended, None while it runs; raise OSError where there is none."""
    from pytest_mpgrade.system.linux import procfs

    try:
        ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return procfs.zombie_status(pid)  # it may be another process's child
    if ended is None:
        return None
    return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status


def await_end(pid: int, seconds: float | None) -> None:
    """Wait until a process has ended, or *seconds* have passed; it need be no child of ours.

    For Linux (pidfd_open(2)). Raises OSError where there is no such process.
    """
    import select

    file = os.pidfd_open(pid)
    try:
        poll = select.poll()
        poll.register(file, select.POLLIN)
        poll.poll(None if seconds is None else seconds * 1000)
    finally:
        os.close(file)


def send(process: Leader, number: int) -> None:
    """Send a signal to a process that leads a group, and to all members of the group.

    Nothing is sent once the process was reaped.
    """
    if process.returncode is not None:
        return
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            process.terminate()
        else:
            os.killpg(process.pid, number)


def kill(process: Leader) -> int:
    """Kill a process and its group, and reap it; return how it has ended."""
    send(process, KILL)
    return process.wait()


def kill_later(process: Leader, seconds: float) -> threading.Thread:
    """Kill what is left of a process's group *seconds* from now, and reap the process.

    It does so earlier if all of them have ended.
    """

    def finish() -> None:
        wait_until(lambda: _all_ended(process), seconds, _PERIOD)
        kill(process)

    thread = threading.Thread(target=finish, daemon=True, name="process group")
    thread.start()
    return thread


def _all_ended(process: Leader) -> bool:
    """Tell whether a process has ended, and all members of its group."""
    if exit_status(process, 0.0) is None:
        return False
    try:
        return not _others(process.pid)
    except OSError:  # it never began
        return True


def _others(group: int) -> bool:
    """Tell whether a group has a member besides its leader.

    Where that cannot be known, the answer is True.
    """
    if sys.platform != "linux":
        return True
    for place in Path("/proc").iterdir():
        if place.name.isdigit() and int(place.name) != group:
            with contextlib.suppress(OSError):
                if os.getpgid(int(place.name)) == group:
                    return True
    return False
