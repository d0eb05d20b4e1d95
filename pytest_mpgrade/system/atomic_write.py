"""Files that are either the old one or the new one at every moment.

That holds whatever happens to the process that writes them.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from pytest_mpgrade.errors import UsageError


def write_bytes(data: bytes, path: Path) -> None:
    """Replace *path* in one step, with the mode that the umask leaves; make its folder.

    Raises UsageError, which names *path*; the old file then stays.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # The umask is the user's word on who may read grades.
        with written_beside(path, data, mode=0o666) as new:
            os.replace(new, path)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error


@contextlib.contextmanager
def written_beside(path: Path, data: bytes, *, mode: int) -> Iterator[Path]:
    """Write a new file with *data* in the folder of *path*, to be renamed or linked.

    It is removed if the caller leaves it there. *mode* has its permissions before the umask takes
    some away.
    """
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        # Binary: where Windows opens a file by its number, it would change the ends of lines.
        with os.fdopen(
            os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, mode), "wb"
        ) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield new
    finally:
        new.unlink(missing_ok=True)


_BINARY = getattr(os, "O_BINARY", 0)
