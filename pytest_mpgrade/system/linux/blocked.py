"""What blocks the main thread of a process, as the kernel shows it.

That is a system call, and the files or memory on which it waits.
"""

from __future__ import annotations

import contextlib
import os
import platform
import struct
import time
from dataclasses import dataclass

from pytest_mpgrade.system.linux import procfs, syscalls
from pytest_mpgrade.system.linux.current_call import current_call

_POLLS = frozenset(("poll", "ppoll"))
_SELECTS = frozenset(("select", "pselect6"))
_EPOLLS = frozenset(("epoll_wait", "epoll_pwait", "epoll_pwait2"))
_OF_ONE_FILE = frozenset(
    (
        "read",
        "readv",
        "recvfrom",
        "recvmsg",
        "write",
        "writev",
        "sendto",
        "sendmsg",
        "accept",
        "accept4",
        "connect",
    )
)
_SLEEPS = {"x86_64": {"call 35": 0, "call 230": 2}, "aarch64": {"call 101": 0, "call 115": 2}}
"""nanosleep and clock_nanosleep, and the index of the argument that points to the time."""
_ABSOLUTE = 1
"""TIMER_ABSTIME of clock_nanosleep(2)."""
_CLOCKS = (0, 1, 7)
"""CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME: those that are the same for every process."""
_PRIVATE = 128
"""FUTEX_PRIVATE_FLAG: only threads of the same process can wake the waiter; futex(2)."""
_P_PID, _P_PIDFD = 1, 3  # of waitid(2)
MOST_FILES = 1024
"""As many as a process may have open by default (RLIMIT_NOFILE), and FD_SETSIZE of select(2)."""


@dataclass(frozen=True, kw_only=True)
class Blocked:
    """One observation of a thread that waits in a system call."""

    call: str = ""  # "sleep" for each of its kinds, "running", or "" where it is not shown
    asleep: bool = False
    timed: bool = True  # the wait ends by itself, or that cannot be known
    files: tuple[int, ...] | None = None  # that it waits for; None: none, or that cannot be known
    child: int = 0  # whose end it waits for, by wait4 or waitid
    shared: bool = False  # it waits at memory that other processes have too
    seconds: float | None = None  # that its sleep has still to go


def look_at_main_thread(pid: int) -> Blocked:
    """Look at the main thread of a process."""
    with readable(pid):
        line = current_call(pid, pid)
        timed, call = syscalls.timed(line)
        words = line.split()
        asleep = procfs.state(pid) == "S"
        if len(words) < 7 or call in ("", "running"):
            return Blocked(call=call, asleep=asleep)
        arguments = tuple(int(word, 16) for word in words[1:7])
        if _slept(call) is not None or (call in _SELECTS and arguments[:4] == (0, 0, 0, 0)):
            return Blocked(
                call="sleep", asleep=asleep, timed=timed, seconds=_left(pid, call, arguments)
            )
        return Blocked(
            call=call,
            asleep=asleep,
            timed=timed,
            files=_files(pid, call, arguments),
            child=_child(pid, call, arguments),
            shared=call == "futex" and not arguments[1] & _PRIVATE,
        )


def readable(pid: int) -> contextlib.AbstractContextManager[None]:
    """Act, for /proc, as a user who may read this process, while the context lasts."""
    try:
        owner = os.stat(f"/proc/{pid}").st_uid
    except OSError:
        return contextlib.nullcontext()
    if owner == os.geteuid():
        return contextlib.nullcontext()
    # here: only Linux has it, and only there is a /proc/PID
    from pytest_mpgrade.system.linux import ptrace

    return contextlib.nullcontext() if ptrace.may_trace_anybody() else ptrace.reading_as(owner)


def _slept(call: str) -> int | None:
    """Return which argument of a call that sleeps points to its time; None for another call."""
    return _SLEEPS.get(platform.machine(), {}).get(call)


def _left(pid: int, call: str, arguments: tuple[int, ...]) -> float | None:
    """Return the seconds that a sleep still has to go, at most.

    Python 3.10 sleeps by select(2).
    """
    by_argument = _slept(call)
    data = procfs.read_memory(pid, arguments[4 if by_argument is None else by_argument], 16)
    if not data:
        return None
    whole, part = struct.unpack("=qq", data)
    if by_argument is None:
        return float(whole + part / 1e6) if call == "select" else float(whole + part / 1e9)
    seconds = float(whole + part / 1e9)
    if not by_argument or not arguments[1] & _ABSOLUTE:
        return seconds
    return seconds - time.clock_gettime(arguments[0]) if arguments[0] in _CLOCKS else None


def _child(pid: int, call: str, arguments: tuple[int, ...]) -> int:
    if call == "wait4":
        return arguments[0] & 0x7FFFFFFF if arguments[0] & 0xFFFFFFFF < 0x80000000 else 0
    if call == "waitid" and arguments[0] == _P_PID:
        return arguments[1]
    return (
        procfs.of_pidfd(pid, arguments[1]) if call == "waitid" and arguments[0] == _P_PIDFD else 0
    )


def _files(pid: int, call: str, arguments: tuple[int, ...]) -> tuple[int, ...] | None:
    if call in _OF_ONE_FILE:
        return (arguments[0],)
    if call in _POLLS and 0 < arguments[1] <= MOST_FILES:
        data = procfs.read_memory(pid, arguments[0], 8 * arguments[1])
        return (
            tuple(number for number, _, _ in struct.iter_unpack("=ihh", data) if number >= 0)
            or None
        )
    if call in _SELECTS and 0 < arguments[0] <= MOST_FILES and arguments[1]:
        size = (arguments[0] + 63) // 64 * 8
        bits = int.from_bytes(procfs.read_memory(pid, arguments[1], size), "little")
        return tuple(number for number in range(arguments[0]) if bits >> number & 1) or None
    if call in _EPOLLS:
        return tuple(procfs.watched_by_epoll(pid, arguments[0])) or None
    return None
