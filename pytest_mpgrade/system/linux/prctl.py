"""prctl(2) through ctypes: what a process asks the kernel for itself; numbers from linux/prctl.h.

Loaded before a process forks: a forked child that has not executed anything may call all of it.
"""

from __future__ import annotations

import ctypes

_SET_PDEATHSIG = 1
_SET_SECCOMP = 22
_CAPBSET_DROP = 24
_SET_CHILD_SUBREAPER = 36
_SET_NO_NEW_PRIVS = 38
_MODE_FILTER = 2

_libc = ctypes.CDLL(None, use_errno=True)
_libc.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]


def die_with_parent(signal: int) -> None:
    """Be sent this signal when the thread that started this process ends."""
    _checked(_libc.prctl(_SET_PDEATHSIG, signal, 0, 0, 0), "PR_SET_PDEATHSIG")


def become_subreaper() -> None:
    """Let orphans of this process's descendants become its children."""
    _checked(_libc.prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "PR_SET_CHILD_SUBREAPER")


def gain_no_privileges() -> None:
    """Let no program that is executed from now on have more privileges than this process."""
    _checked(_libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS")


def filter_calls(program: int) -> None:
    """Put the calling thread, and all that it will start, under a filter of system calls.

    *program* is the filter's address (struct sock_fprog).
    """
    _checked(_libc.prctl(_SET_SECCOMP, _MODE_FILTER, program, 0, 0), "PR_SET_SECCOMP")


def drop_from_bounding_set(capability: int) -> None:
    """Let no program that is executed from now on gain this capability.

    A capability that the kernel does not know is ignored.
    """
    _libc.prctl(_CAPBSET_DROP, capability, 0, 0, 0)


def _checked(result: int, option: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option})")
