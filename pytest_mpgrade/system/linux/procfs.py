"""What /proc shows of processes and threads; see proc(5).

A process that has ended meanwhile reads as None or empty.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from pytest_mpgrade.system.linux.current_call import current_call

_EXIT_CODE = 52 - 3
"""Place of exit_code in proc_pid_stat(5), after the two fields that are cut off."""


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return None


@dataclass(frozen=True, kw_only=True)
class Thread:
    """One observation of one thread."""

    pid: int
    tid: int
    state: str  # R, S, D, Z, T, t
    switches: int  # voluntary context switches
    ran: int  # nanoseconds on a core
    queued: int  # nanoseconds runnable without one
    timed: bool  # waits in a call that ends by itself, runs, or cannot be known
    syscall: str  # its name, "running", or "" where it cannot be read


def state(pid: int) -> str:
    """Return the state letter of a process; "" when there is none."""
    fields = _stat(f"/proc/{pid}/stat")
    return fields[0] if fields else ""


def zombie_status(pid: int) -> int | None:
    """Return how a zombie has ended, as `subprocess` words it; None for any other process.

    It is the field exit_code of proc_pid_stat(5). Raises ProcessLookupError where there is none.
    """
    fields = _stat(f"/proc/{pid}/stat")
    if not fields:
        raise ProcessLookupError(f"no process {pid}")
    return os.waitstatus_to_exitcode(int(fields[_EXIT_CODE])) if fields[0] == "Z" else None


def parent(pid: int) -> int:
    """Return the parent's pid; 0 when there is no such process."""
    fields = _stat(f"/proc/{pid}/stat")
    return int(fields[1]) if fields else 0


def _stat(path: str) -> list[str]:
    text = _read(path)
    return text[text.rindex(")") + 2 :].split() if text else []


def child_pids(pid: int) -> list[int]:
    """Return the children of all threads of *pid*, zombies too (needs CONFIG_PROC_CHILDREN)."""
    children: list[int] = []
    for tid in tasks(pid):
        children += [
            int(child) for child in (_read(f"/proc/{pid}/task/{tid}/children") or "").split()
        ]
    return children


def descendants(root: int) -> list[int]:
    """Return all processes below *root*, without it."""
    found: list[int] = []
    todo = [root]
    while todo:
        below = child_pids(todo.pop())
        found += below
        todo += below
    return found


def tasks(pid: int) -> list[int]:
    """Return the thread ids of a process."""
    try:
        return [int(tid) for tid in os.listdir(f"/proc/{pid}/task")]
    except OSError:
        return []


def leader(tid: int) -> int:
    """Return the process that a thread id belongs to; 0 when there is no such thread."""
    words = _status(tid, "Tgid:")
    return int(words[0]) if words else 0


def command_line(pid: int) -> str:
    """Return the command line, arguments separated by spaces."""
    return (_read(f"/proc/{pid}/cmdline") or "").replace("\0", " ").strip()


def open_files(pid: int) -> dict[int, str]:
    """Return what the file descriptors of a process refer to, e.g. ``{3: "pipe:[4711]"}``."""
    files: dict[int, str] = {}
    try:
        names = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return files
    for name in names:
        try:
            files[int(name)] = os.readlink(f"/proc/{pid}/fd/{name}")
        except OSError:
            continue
    return files


def times(pid: int, tid: int) -> tuple[float, float]:
    """Return seconds that a thread has run, and has waited for a core (schedstat)."""
    numbers = (_read(f"/proc/{pid}/task/{tid}/schedstat") or "0 0").split()
    return int(numbers[0]) / 1e9, int(numbers[1]) / 1e9


def cpu(pid: int) -> float:
    """Return the CPU seconds of a process to the nanosecond, with its ended threads.

    The answer is 0.0 if the process is gone. Every process may read its CPU clock
    (clock_getcpuclockid(3), whose number is made as in linux/posix-timers.h).
    """
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except (OSError, AttributeError):  # it is gone, or this is no Linux
        return 0.0


def chars_read(pid: int) -> int:
    """Return the bytes that a process has read so far by read(2) and similar calls.

    This is rchar of proc_pid_io(5).
    """
    line = (_read(f"/proc/{pid}/io") or "").partition("\n")[0]
    return int(line.split()[1]) if line.startswith("rchar:") else 0


def resident_pages(pid: int) -> int:
    """Return the pages of a process that are in memory, those that it shares too."""
    return int((_read(f"/proc/{pid}/statm") or "0 0").split()[1])


def proportional_bytes(pid: int) -> int:
    """Return the bytes of memory of a process, shared pages divided by their users.

    This is Pss of smaps_rollup, proc(5).
    """
    for line in (_read(f"/proc/{pid}/smaps_rollup") or "").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def look_at_threads(pid: int, timed: Callable[[str], tuple[bool, str]]) -> list[Thread]:
    """Return the state of all threads of one process.

    *timed* judges the system call in which each is; see `current_call`.
    """
    threads = []
    alarmed = _expects_alarm(pid)
    for tid in tasks(pid):
        base = f"/proc/{pid}/task/{tid}/"
        fields = _stat(base + "stat")
        if not fields:
            continue
        switches = 0
        for line in (_read(base + "status") or "").splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                switches = int(line.split()[1])
        numbers = (_read(base + "schedstat") or "0 0").split()
        waits_timed, name = timed(current_call(pid, tid))
        threads.append(
            Thread(
                pid=pid,
                tid=tid,
                state=fields[0],
                switches=switches,
                ran=int(numbers[0]),
                queued=int(numbers[1]),
                timed=(waits_timed or alarmed) and fields[0] != "Z",
                syscall=name,
            )
        )
    return threads


def handles(pid: int, signal: int) -> bool | None:
    """Tell whether a process handles a signal itself; None where that is unknown.

    This is SigCgt of proc(5).
    """
    caught = _caught(pid)
    return None if caught is None else bool(caught >> (signal - 1) & 1)


def _caught(pid: int) -> int | None:
    words = _status(pid, "SigCgt:")
    return int(words[0], 16) if words else None


def _status(pid: int, name: str) -> list[str]:
    """Return the words of one line of /proc/PID/status."""
    for line in (_read(f"/proc/{pid}/status") or "").splitlines():
        if line.startswith(name):
            return line.split()[1:]
    return []


def peak_bytes(pid: int) -> int:
    """Return the largest resident set that a process has had, in bytes.

    This is VmHWM of proc(5). The answer is 0 if the process has no memory any more.
    """
    words = _status(pid, "VmHWM:")
    return int(words[0]) * 1024 if words else 0


def inside(pid: int) -> int:
    """Return a process's id in its own pid namespace, as it sees itself; 0 if unknown.

    This is NSpid of proc(5).
    """
    words = _status(pid, "NSpid:")
    return int(words[-1]) if words else 0


_ALARMS = sum(1 << (number - 1) for number in (14, 26, 27))
"""SIGALRM, SIGVTALRM and SIGPROF in the masks of proc(5)."""


def _expects_alarm(pid: int) -> bool:
    """Tell whether a process handles a timer's signal.

    Such a signal may end any of its waits, which no system call shows.
    """
    return bool((_caught(pid) or 0) & _ALARMS)


def read_memory(pid: int, address: int, size: int) -> bytes:
    """Return *size* bytes of a process's memory; b"" where they may not be read."""
    try:
        with open(f"/proc/{pid}/mem", "rb", buffering=0) as file:
            file.seek(address)
            data = file.read(size)
    except (OSError, ValueError, OverflowError):
        return b""
    return data if len(data) == size else b""


def pipe_ends(pid: int) -> dict[str, set[int]]:
    """Return the ends of pipes that a process can write to, file descriptors by name.

    An example: ``{"pipe:[4711]": {4}}``.
    """
    ends: dict[str, set[int]] = {}
    for number, name in open_files(pid).items():
        if name.startswith("pipe:") and _writable(pid, number):
            ends.setdefault(name, set()).add(number)
    return ends


def _writable(pid: int, number: int) -> bool:
    """Tell by the permissions of its link if a file is open for writing; proc_pid_fd(5)."""
    try:
        return bool(os.lstat(f"/proc/{pid}/fd/{number}").st_mode & 0o200)
    except OSError:
        return False


def watched_by_epoll(pid: int, number: int) -> list[int]:
    """Return the file descriptors that an epoll instance watches (proc_pid_fdinfo(5))."""
    lines = (_read(f"/proc/{pid}/fdinfo/{number}") or "").splitlines()
    return [int(line.split()[1]) for line in lines if line.startswith("tfd:")]


def of_pidfd(pid: int, number: int) -> int:
    """Return the process of a pidfd; 0 if the kernel does not show it."""
    for line in (_read(f"/proc/{pid}/fdinfo/{number}") or "").splitlines():
        if line.startswith("Pid:"):
            return max(int(line.split()[1]), 0)
    return 0
