"""Which system calls can wait for ever: the tables behind the deadlock proof.

A line of ``/proc/PID/task/TID/syscall`` is the number and six arguments in hexadecimal; see
proc(5). Numbers differ per architecture: linux/arch/x86/entry/syscalls/syscall_64.tbl and
include/uapi/asm-generic/unistd.h (aarch64).
"""

from __future__ import annotations

import platform

POINTER, MILLISECONDS, NEVER, FUTEX = "pointer", "milliseconds", "never", "futex"
"""How a call gets its time-out.

POINTER: NULL waits for ever. MILLISECONDS: -1 does. NEVER: there is none. FUTEX: it depends on the
operation, and NULL waits for ever.
"""

Rule = tuple[str, str, int]

_FUTEX_WAITS = frozenset((0, 6, 9, 11, 13))
"""FUTEX_WAIT, LOCK_PI, WAIT_BITSET, WAIT_REQUEUE_PI, LOCK_PI2 of linux/futex.h."""

_X86_64: dict[int, Rule] = {
    0: ("read", NEVER, 0),
    1: ("write", NEVER, 0),
    2: ("open", NEVER, 0),  # of a named pipe, whose other end nobody opens
    7: ("poll", MILLISECONDS, 2),
    19: ("readv", NEVER, 0),
    20: ("writev", NEVER, 0),
    23: ("select", POINTER, 4),
    34: ("pause", NEVER, 0),
    42: ("connect", NEVER, 0),
    43: ("accept", NEVER, 0),
    44: ("sendto", NEVER, 0),
    45: ("recvfrom", NEVER, 0),
    46: ("sendmsg", NEVER, 0),
    47: ("recvmsg", NEVER, 0),
    61: ("wait4", NEVER, 0),
    65: ("semop", NEVER, 0),
    70: ("msgrcv", NEVER, 0),
    72: ("fcntl", NEVER, 0),
    73: ("flock", NEVER, 0),
    128: ("rt_sigtimedwait", POINTER, 2),
    130: ("rt_sigsuspend", NEVER, 0),
    202: ("futex", FUTEX, 3),
    220: ("semtimedop", POINTER, 3),
    232: ("epoll_wait", MILLISECONDS, 3),
    247: ("waitid", NEVER, 0),
    257: ("openat", NEVER, 0),
    270: ("pselect6", POINTER, 4),
    271: ("ppoll", POINTER, 2),
    281: ("epoll_pwait", MILLISECONDS, 3),
    288: ("accept4", NEVER, 0),
    441: ("epoll_pwait2", POINTER, 3),
    449: ("futex_waitv", POINTER, 3),
}

_AARCH64: dict[int, Rule] = {
    22: ("epoll_pwait", MILLISECONDS, 3),
    25: ("fcntl", NEVER, 0),
    32: ("flock", NEVER, 0),
    56: ("openat", NEVER, 0),
    63: ("read", NEVER, 0),
    64: ("write", NEVER, 0),
    65: ("readv", NEVER, 0),
    66: ("writev", NEVER, 0),
    72: ("pselect6", POINTER, 4),
    73: ("ppoll", POINTER, 2),
    95: ("waitid", NEVER, 0),
    98: ("futex", FUTEX, 3),
    133: ("rt_sigsuspend", NEVER, 0),
    137: ("rt_sigtimedwait", POINTER, 2),
    188: ("msgrcv", NEVER, 0),
    192: ("semtimedop", POINTER, 3),
    193: ("semop", NEVER, 0),
    202: ("accept", NEVER, 0),
    203: ("connect", NEVER, 0),
    206: ("sendto", NEVER, 0),
    207: ("recvfrom", NEVER, 0),
    211: ("sendmsg", NEVER, 0),
    212: ("recvmsg", NEVER, 0),
    242: ("accept4", NEVER, 0),
    260: ("wait4", NEVER, 0),
    441: ("epoll_pwait2", POINTER, 3),
    449: ("futex_waitv", POINTER, 3),
}

_TABLES = {"x86_64": _X86_64, "aarch64": _AARCH64}


def timed(line: str, machine: str = platform.machine()) -> tuple[bool, str]:
    """Return whether the wait behind *line* ends by itself, and the call's name.

    A wait of which that cannot be known counts as timed, and so does an unknown architecture or an
    unreadable line: nothing is proven by it.
    """
    words = line.split()
    if not words or machine not in _TABLES:
        return True, ""
    if words[0] in ("running", "-1"):
        return True, "running"
    name, how, index = _TABLES[machine].get(int(words[0]), (f"call {words[0]}", "", 0))
    if not how or len(words) < 7:
        return True, name
    argument = int(words[1 + index], 16)
    if how == MILLISECONDS:
        return argument & 0xFFFFFFFF < 0x80000000, name
    if how == FUTEX:
        waits = int(words[2], 16) & 0x7F in _FUTEX_WAITS
        return argument != 0 or not waits, name
    return how == POINTER and argument != 0, name
