"""Users that nobody has: one for each run that is made at a time, so that no run can touch another one's processes."""

from __future__ import annotations

import contextlib
import os
import pwd
import socket

from pytest_mpgrade.run import trees

FIRST, COUNT = 60123, 200
"""Below systemd's dynamic users and nobody, above what distributions give to people."""
_WORLD_WRITABLE = ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run/lock")  # noqa: S108 - looked through, not used


class SpareUid:
    """A user id that is ours as long as this process lives, or until `release`.

    The lock is an abstract socket's name (unix(7)): the kernel lets go of it with us, and there is no file to be left.
    """

    def __init__(self) -> None:
        self._lock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.uid = next((uid for uid in range(FIRST, FIRST + COUNT) if not _taken(uid) and self._lock_for(uid)), 0)
        if not self.uid:
            raise OSError("no spare user id is free")

    def _lock_for(self, uid: int) -> bool:
        try:
            self._lock.bind(f"\0mpgrade-uid-{uid}")
        except OSError:
            return False
        return True

    def sweep(self) -> list[str]:
        """Remove what this user has left in folders that anybody may write to; return the paths."""
        removed = []
        for folder in _WORLD_WRITABLE:
            with contextlib.suppress(OSError), os.scandir(folder) as entries:
                removed += [entry.path for entry in entries if entry.stat(follow_symlinks=False).st_uid == self.uid]
        for path in removed:
            with contextlib.suppress(OSError):
                os.unlink(path) if os.path.islink(path) or not os.path.isdir(path) else trees.remove(path)
        return removed

    def release(self) -> None:
        """Let others have it."""
        self._lock.close()


def _taken(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True
