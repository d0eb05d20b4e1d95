"""One try to lock an open file with flock(2).

The kernel releases a lock when its last holder ends, however that ends.
"""

from __future__ import annotations

import errno
import sys

if sys.platform != "win32":
    import fcntl


def try_lock(file: int, *, shared: bool = False) -> bool:
    """Lock an open file or folder; False where a lock of another process excludes this one.

    Raises OSError on a file system without locks, and on Windows.
    """
    if sys.platform == "win32":
        raise OSError(errno.ENOSYS, "Windows has no flock(2)")
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
