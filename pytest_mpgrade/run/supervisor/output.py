"""What the student's processes print, in files that are cut at a cap.

A pipe would not do, because a process can hold its end for ever.
"""

from __future__ import annotations

import os


class Output:
    """One stream. Its writers append, so cutting the file makes no hole and no error for them."""

    def __init__(self, path: str, cap: int) -> None:
        self.path, self._cap = path, cap
        with open(path, "ab"):
            # Create the file: on a busy machine its first reader may come before its writer.
            pass

    def cut(self) -> int:
        """Cut the file where it has grown beyond the cap; return its size in bytes."""
        size = os.stat(self.path).st_size
        if size > self._cap:
            os.truncate(self.path, self._cap)
        return min(size, self._cap)

    def start_anew(self) -> None:
        """Forget what was printed so far, since each call has the whole cap."""
        os.truncate(self.path, 0)

    def text(self) -> str:
        """Return what was printed."""
        self.cut()
        with open(self.path, encoding="utf-8", errors="backslashreplace") as file:
            return file.read(self._cap)
