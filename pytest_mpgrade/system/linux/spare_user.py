"""Users that nobody has: one for each run that is made at a time.

So no run can touch the processes of another one.
"""

from __future__ import annotations

import contextlib
import os
import pwd

from pytest_mpgrade.system import rmtree
from pytest_mpgrade.system.file_lock import try_lock

FIRST, COUNT = 60123, 200
"""Ids below systemd's dynamic users and nobody, above those that distributions give to people."""
_PLACES = ("/run", "/dev/shm")  # noqa: S108 - where /run is read-only, as in some containers
_SHARED_MEMORY = "/dev/shm"  # noqa: S108 - looked through, not used
_TEMPORARY = ("/tmp", "/var/tmp")  # noqa: S108 - looked through, not used
_WORLD_WRITABLE = (*_TEMPORARY, _SHARED_MEMORY, "/dev/mqueue", "/run/lock")


class SpareUid:
    """A user id that is ours as long as this process lives, or until `release`.

    The lock is one of flock(2) on an empty file that only root can open, so that no submission can
    take it, nor take all of them and leave other gradings without. The kernel releases it when this
    process ends; the file is removed by then, or by the next holder of that user id.
    """

    def __init__(self) -> None:
        self._path, self._file = "", -1
        folder = next(
            (place for place in _PLACES if os.path.isdir(place) and os.access(place, os.W_OK)), ""
        )
        users = range(FIRST, FIRST + COUNT) if folder else ()
        self.uid = next(
            (uid for uid in users if not _taken(uid) and self._lock(f"{folder}/mpgrade-uid-{uid}")),
            0,
        )
        if not self.uid:
            raise OSError("no spare user id is free")

    def _lock(self, path: str) -> bool:
        while True:
            try:
                file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            except OSError:
                return False
            if _locked(file):
                if _is_at(file, path):
                    self._path, self._file = path, file
                    return True
                os.close(file)  # its last holder has removed it in between
                continue
            os.close(file)
            return False

    def sweep(self) -> list[str]:
        """Remove what this user has left in folders that anybody may write to; return the paths."""
        removed = []
        for folder in _WORLD_WRITABLE:
            with contextlib.suppress(OSError), os.scandir(folder) as entries:
                removed += [
                    entry.path
                    for entry in entries
                    if entry.stat(follow_symlinks=False).st_uid == self.uid
                ]
        for path in removed:
            with contextlib.suppress(OSError):
                (
                    os.unlink(path)
                    if os.path.islink(path) or not os.path.isdir(path)
                    else rmtree.remove_tree(path)
                )
        return removed

    def release(self) -> None:
        """Let other gradings have the user id."""
        if self._file >= 0:
            with contextlib.suppress(OSError):
                os.unlink(self._path)
            os.close(self._file)
            self._file = -1


def _locked(file: int) -> bool:
    """Lock a file of our own; False where somebody else has the lock, or the file."""
    try:
        return try_lock(file) and os.fstat(file).st_uid == os.geteuid()
    except OSError:
        return False


def _is_at(file: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(file), os.lstat(path))
    except FileNotFoundError:
        return False


def _taken(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True
