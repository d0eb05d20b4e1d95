"""Files that are either the old one or the new one, whatever happens to the process that writes them."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_bytes(data: bytes, path: Path) -> None:
    """Replace *path* by *data* at once, mode 0644; its folder is made. Raises OSError; the old file then stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes private files, but a course's other accounts and CI steps read results.
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
