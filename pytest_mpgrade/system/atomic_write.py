"""Files that are either the old one or the new one, whatever happens to the process that writes them."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write_bytes(data: bytes, path: Path) -> None:
    """Replace *path* by *data* at once, with the mode that the umask leaves; its folder is made.

    Raises OSError; the old file then stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not by `tempfile`: its files are private whatever the umask, which is the user's word on who may read grades.
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with open(new, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
