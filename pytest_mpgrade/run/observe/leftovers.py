"""What a call leaves behind other than processes, and the removal of a run's named objects.

Semaphores and shared memory are recognised by the prefix that the child gives to their names. The
difference of /dev/shm before and after would not do, because other gradings run at the same time.
Pipes and threads are those of the calling process.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Collection
from dataclasses import dataclass

from pytest_mpgrade.records import LeftoverKind
from pytest_mpgrade.system import rmtree
from pytest_mpgrade.system.linux import procfs

_JOBLIB = re.compile(r"(?:sem\.loky-|joblib_memmapping_folder_)(\d+)[-_]")
SHM = "/dev/shm"  # noqa: S108 - where Linux keeps POSIX semaphores and shared memory


@dataclass(frozen=True, kw_only=True)
class Names:
    """Where a run's semaphores and shared memory have names, and which names are its own."""

    prefix: str  # of the names that the child gives
    private: bool = False  # the run has a /dev/shm of its own: all names there are its own
    uid: int = 0  # what belongs to this user is the run's own, too; 0: no such user

    def found(self, pid: int) -> list[str]:
        """Return the names that *pid*, a process of the run, can see."""
        if not self.private:
            return names(self.prefix, self.uid)
        try:
            return sorted(os.listdir(f"/proc/{pid}/root{SHM}"))
        except OSError:
            return []

    def size(self, pid: int) -> int:
        """Return the bytes that the run has in shared memory.

        *pid* is a process of the run, through which its own /dev/shm is read.
        """
        if not self.private:
            return sum(
                status.st_blocks * 512
                for name in names(self.prefix, self.uid)
                if (status := _status(name))
            )
        try:
            whole = os.statvfs(f"/proc/{pid}/root{SHM}")
        except OSError:
            return 0
        return (whole.f_blocks - whole.f_bfree) * whole.f_frsize


@dataclass(frozen=True, kw_only=True)
class Holdings:
    """What the calling process holds at one moment."""

    threads: frozenset[int] = frozenset()
    pipes: frozenset[str] = frozenset()  # and socket pairs, which mp.Pipe() makes
    named: frozenset[str] = frozenset()


def holdings(pid: int, mine: Names) -> Holdings:
    """Return what the calling process holds now, with the names of its run."""
    return Holdings(
        threads=frozenset(procfs.tasks(pid)),
        pipes=frozenset(
            target
            for target in procfs.open_files(pid).values()
            if target.startswith(("pipe:", "socket:"))
        ),
        named=frozenset(mine.found(pid)),
    )


def names(prefix: str, uid: int = 0) -> list[str]:
    """Return the semaphores and shared memory that carry *prefix*, or belong to *uid*."""
    mark = prefix.lstrip("/")
    try:
        return sorted(
            name for name in os.listdir(SHM) if mark in name or (uid and _owner(name) == uid)
        )
    except OSError:
        return []


def _owner(name: str) -> int:
    status = _status(name)
    return status.st_uid if status else -1


def _status(name: str) -> os.stat_result | None:
    try:
        return os.lstat(os.path.join(SHM, name))
    except OSError:
        return None  # removed since it was listed


def gained(
    before: Holdings, after: Holdings, helpers: Collection[int]
) -> list[tuple[LeftoverKind, str]]:
    """Return ``(kind, name)`` of what is in *after* and not in *before*.

    A pipe whose other end is held by Python's own resource tracker or fork server belongs to
    Python.
    """
    python = {target for pid in helpers for target in procfs.open_files(pid).values()}
    new: list[tuple[LeftoverKind, str]] = [
        ("thread", f"thread {tid}") for tid in sorted(after.threads - before.threads)
    ]
    new += [("pipe", target) for target in sorted(after.pipes - before.pipes - python)]
    for name in sorted(after.named - before.named):
        new.append(("semaphore" if name.startswith("sem.") else "shared memory", name))
    return new


def remove_leftovers(prefix: str) -> list[str]:
    """Unlink everything that carries the run's prefix; return the names."""
    removed = names(prefix)
    for name in removed:
        try:
            os.unlink(os.path.join(SHM, name))
        except OSError:
            continue
    return removed


def remove_of(pids: Collection[int]) -> list[str]:
    """Remove what joblib has made for these processes; return the names.

    The names carry the pids of their processes.
    """
    try:
        theirs = [
            name
            for name in os.listdir(SHM)
            if (made := _JOBLIB.match(name)) and int(made[1]) in pids
        ]
    except OSError:
        return []
    for name in theirs:
        path = os.path.join(SHM, name)
        if os.path.isdir(path) and not os.path.islink(path):
            rmtree.remove_tree(path)
        else:
            with contextlib.suppress(OSError):
                os.unlink(path)
    return theirs
