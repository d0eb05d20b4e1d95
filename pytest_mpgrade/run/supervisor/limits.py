"""The limits of a run: what it uses is compared with them at every look.

The kernel's own limits (rlimits, and a cgroup where one can be made) lie behind these, for what
happens between two looks.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence

from pytest_mpgrade.records import Limits
from pytest_mpgrade.system import rmtree
from pytest_mpgrade.system.linux import procfs

_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_DISK_PERIOD = 0.3
"""Seconds between two walks through what a run has written, of which one may take as long as that.
"""
_MOST_FILES, _DEEPEST = 100_000, 100
"""To walk through so many takes about `_DISK_PERIOD`; deeper paths than the second make each step
slow.
"""


class LimitMonitor:
    """Compares what a run uses with its limits, at every look.

    *limits* are those of `records.Limits`, and *folders* those in which student code may write.
    *memory* returns the bytes of a process, with its part of those that it shares. *out_of_memory*
    returns how many processes the kernel has killed for their memory, and *shared* the bytes in
    shared memory.
    """

    def __init__(
        self,
        limits: Limits,
        folders: Sequence[str],
        memory: Callable[[int], int],
        out_of_memory: Callable[[], int] = lambda: 0,
        shared: Callable[[], int] = lambda: 0,
    ) -> None:
        self._limits = limits
        self._folders = folders
        self._memory_of = memory
        self._out_of_memory = out_of_memory
        self._shared = shared
        self._next_disk = 0.0

    def overdrawn(
        self, live: Sequence[int], cpu_of_ended: float, peak_of_ended: int, *, last: bool = False
    ) -> str:
        """Return in words which limit the run has exceeded, "" for none.

        *live* are its living processes. *cpu_of_ended* has seconds, and *peak_of_ended* bytes. The
        disk is looked at every 0.3 s, and the *last* time. The last time, the peaks of living
        processes count, too: a process to which the kernel refuses memory has released its memory
        by the time it says so.
        """
        limits = self._limits
        if len(live) > limits.processes:
            return f"too many processes: the limit is {limits.processes} at a time"
        if last:
            peak_of_ended = max([peak_of_ended, *map(procfs.peak_bytes, live)])
        if self._out_of_memory() or max(peak_of_ended, self._memory(live)) > limits.memory_bytes:
            return f"out of memory: the limit is {amount(limits.memory_bytes)}"
        if cpu_of_ended + sum(map(procfs.cpu, live)) > limits.cpu_seconds:
            return f"too much computing: the limit is {limits.cpu_seconds:g} s of CPU time"
        if last or time.monotonic() > self._next_disk:
            self._next_disk = time.monotonic() + _DISK_PERIOD
            # Where a run has a file system for it, that is full now.
            if self._shared() >= limits.disk_bytes:
                return f"too much shared memory: the limit is {amount(limits.disk_bytes)}"
            return _overfull(self._folders, limits.disk_bytes)
        return ""

    def _memory(self, live: Sequence[int]) -> int:
        """Return the bytes that the processes have in memory.

        Resident pages are quick to read, but count pages twice that a fork shares. Where the
        difference could matter, the proportional size (PSS) is read.
        """
        resident = sum(procfs.resident_pages(pid) for pid in live) * _PAGE
        if resident <= self._limits.memory_bytes:
            return resident
        return sum(map(self._memory_of, live))


def amount(size: float) -> str:
    """Return a number of bytes in words, in powers of 1000."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:.3g} {unit}"
    return f"{size:g} bytes"


def _overfull(folders: Sequence[str], most: int) -> str:
    """Return in words what is too much below some folders; "" for nothing.

    It can be their bytes, the number of their files, or their depth.
    """
    size = 0
    for count, (taken, depth) in enumerate(rmtree.sizes(folders), 1):
        size += taken
        if size > most:
            return f"too much written to disk: the limit is {amount(most)}"
        if count > _MOST_FILES:
            return f"too many files written: the limit is {_MOST_FILES}"
        # The kernel looks a path up part by part, so very deep paths would take for ever.
        if depth > _DEEPEST:
            return f"folders nested too deeply: the limit is {_DEEPEST}"
    return ""
