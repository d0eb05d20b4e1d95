"""The system call in which a thread is, also where the kernel has begun it anew after a signal.

A signal interrupts the waits of a process that is traced, even one that it ignores: the end of a
child is enough (SIGCHLD). poll(2), and futex(2) with a time-out, then go on as restart_syscall(2).
What /proc shows is the number of that call, with the arguments of the one that was interrupted. In
which function of the kernel the thread sleeps tells which one that was (wchan of proc(5)). Other
calls go on under their own number; of a sleep that goes on, nothing but its end is of interest.
"""

from __future__ import annotations

import platform

_RESTART = {"x86_64": 219}
"""The number of restart_syscall. Elsewhere poll(2) is ppoll(2), which goes on under its own."""
_RESTARTED = {"x86_64": {"poll": 7, "futex": 202}}
"""The calls that may have been interrupted, by a word in the name of the function that sleeps."""


def current_call(pid: int, tid: int, machine: str = platform.machine()) -> str:
    """Return the system call in which a thread is, as /proc/PID/task/TID/syscall has it.

    That is its number and arguments, or "running", or "" if the kernel does not show it.
    """
    line = _read(f"/proc/{pid}/task/{tid}/syscall")
    number, space, arguments = line.partition(" ")
    if number != str(_RESTART.get(machine)):
        return line
    sleeps_in = _read(f"/proc/{pid}/task/{tid}/wchan")
    found = [call for word, call in _RESTARTED[machine].items() if word in sleeps_in]
    return f"{found[0]}{space}{arguments}" if found else line


def _read(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""
