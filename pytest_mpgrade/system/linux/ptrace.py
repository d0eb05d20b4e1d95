"""ptrace, capabilities and wait through ctypes and os; numbers from linux/ptrace.h.

ptrace is used with SEIZE, which needs no stop of the tracee and passes on to its children by
itself; see ptrace(2).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_mpgrade.system.linux import prctl

CAPABILITY_VERSION_3 = 0x20080522
CAP_SYS_PTRACE = 19
CAP_LAST = 63
"""Of linux/capability.h; the kernel refuses to drop one that it does not know, which is ignored."""
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


@dataclass(frozen=True, kw_only=True)
class Used:
    """The resources that a process had used when it ended (getrusage(2)).

    The children that it had waited for are included.
    """

    cpu: float  # seconds
    peak: int  # bytes: the largest resident set, of itself or of one child


def seize(pid: int) -> None:
    """Trace *pid* and all that it will start.

    All of them die with the calling thread (PTRACE_O_EXITKILL). Only the calling thread may wait
    for them and continue them. Raises OSError where ptrace is not permitted.
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


Happened = tuple[int, int, Used]
"""What wait4(2) returns: process or thread, status, and resources used so far."""


def wait_any() -> Happened | None:
    """Wait for any child or tracee: ``(pid, status, what it has used)``.

    The answer is None when there is no child or tracee (ECHILD).
    """
    try:
        return _taken(WALL)
    except ChildProcessError:
        return None


def await_any() -> bool:
    """Wait until something has happened to a child or tracee, and do not take it in.

    The answer is False when there is no child or tracee.
    """
    try:
        return os.waitid(os.P_ALL, 0, _PEEK) is not None
    except ChildProcessError:
        return False


def take_any() -> Happened | None:
    """Take in what has happened to a child or tracee.

    The answer is None where SIGKILL has ended the stop meanwhile.
    """
    try:
        return _taken(WALL | os.WNOHANG)
    except ChildProcessError:
        return None


def awaits_us() -> bool:
    """Tell whether something has happened to a child or tracee that nobody has taken in.

    Any thread of the tracer may ask. Until it is taken in, a tracee stays stopped, and the kernel
    does not report the end of one to its parent (ptrace(2), wait(2)).
    """
    try:
        return os.waitid(os.P_ALL, 0, _PEEK | os.WNOHANG) is not None
    except ChildProcessError:
        return False


_PEEK = os.WEXITED | os.WNOWAIT | WALL
"""waitid(2) reports the stops of a tracee without WSTOPPED, as wait4(2) does."""


def _taken(options: int) -> Happened | None:
    pid, status, usage = os.wait4(-1, options)
    return (
        (pid, status, Used(cpu=usage.ru_utime + usage.ru_stime, peak=usage.ru_maxrss * 1024))
        if pid
        else None
    )


def drop_capabilities() -> None:
    """Give up every capability of root but the ownership of its files.

    That also holds for programs started later (capabilities(7)).
    """
    for number in range(CAP_LAST + 1):
        prctl.drop_from_bounding_set(number)
    prctl.gain_no_privileges()
    nothing = struct.pack("6I", 0, 0, 0, 0, 0, 0)
    if _libc.capset(struct.pack("Ii", CAPABILITY_VERSION_3, 0), nothing) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def become(uid: int) -> None:
    """Become this user, in a group of the same number and no other; there is no way back."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def may_trace_anybody() -> bool:
    """Tell whether this process has CAP_SYS_PTRACE; root in a container has not."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith("CapEff:"):
                return bool(int(line.split()[1], 16) >> CAP_SYS_PTRACE & 1)
    return False


@contextlib.contextmanager
def reading_as(uid: int) -> Iterator[None]:
    """Access files as this user, in the calling thread only (setfsuid(2)).

    Without CAP_SYS_PTRACE, /proc shows what a thread waits for only to the user that it belongs to.
    """
    _libc.setfsgid(uid)
    _libc.setfsuid(uid)
    try:
        yield
    finally:
        _libc.setfsuid(os.geteuid())
        _libc.setfsgid(os.getegid())
