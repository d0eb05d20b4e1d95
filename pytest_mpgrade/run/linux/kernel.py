"""prctl, ptrace and wait through ctypes and os; numbers from linux/prctl.h and linux/ptrace.h.

ptrace is used with SEIZE, which needs no stop of the tracee and passes on to its children by itself; see ptrace(2).
"""

from __future__ import annotations

import ctypes
import os

PR_SET_CHILD_SUBREAPER = 36
PTRACE_CONT = 7
PTRACE_GETEVENTMSG = 0x4201
PTRACE_SEIZE = 0x4206
PTRACE_LISTEN = 0x4208
O_TRACEFORK, O_TRACEVFORK, O_TRACECLONE, O_TRACEEXEC, O_EXITKILL = 2, 4, 8, 16, 0x100000
EVENT_FORK, EVENT_VFORK, EVENT_CLONE, EVENT_EXEC, EVENT_STOP = 1, 2, 3, 4, 128
WALL = 0x40000000
"""__WALL of waitpid(2): wait for children of every kind, threads too."""

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long] * 4
_libc.ptrace.restype = ctypes.c_long


def become_subreaper() -> None:
    """Let orphans of this process's descendants become its children (PR_SET_CHILD_SUBREAPER, prctl(2))."""
    if _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def seize(pid: int) -> None:
    """Observe *pid* and all that it will start; all of them die with the calling thread (PTRACE_O_EXITKILL).

    Raises OSError where ptrace is not permitted. Only the calling thread may wait for them and continue them.
    """
    options = O_TRACEFORK | O_TRACEVFORK | O_TRACECLONE | O_TRACEEXEC | O_EXITKILL
    if _libc.ptrace(PTRACE_SEIZE, pid, 0, options) != 0:
        raise OSError(ctypes.get_errno(), "ptrace(PTRACE_SEIZE)")


def resume(pid: int, signal: int = 0) -> None:
    """Continue a stopped tracee, delivering *signal*; one that is gone by now is no error."""
    _libc.ptrace(PTRACE_CONT, pid, 0, signal)


def listen(pid: int) -> None:
    """Leave a tracee in its group-stop: it was stopped by SIGSTOP and stays so."""
    _libc.ptrace(PTRACE_LISTEN, pid, 0, 0)


def event_message(pid: int) -> int:
    """Return the id of the process or thread that the event of *pid* is about."""
    message = ctypes.c_ulong()
    _libc.ptrace(PTRACE_GETEVENTMSG, pid, 0, ctypes.addressof(message))
    return message.value


def wait_any() -> tuple[int, int, float] | None:
    """Wait for any child or tracee: ``(pid, status, CPU seconds)``; None when there can be none any more (ECHILD)."""
    try:
        pid, status, usage = os.wait4(-1, WALL)
    except ChildProcessError:
        return None
    return pid, status, usage.ru_utime + usage.ru_stime
