"""What the student's processes print: to files that are cut at a cap, never to a pipe that somebody
can hold.
"""

from __future__ import annotations

import os


class Output:
    """One stream. Its writers append, so cutting it never makes a hole or an error for them."""

    def __init__(self, path: str, cap: int) -> None:
        self.path, self._cap = path, cap
        with open(path, "ab"):
            # it is there from now on; on a busy machine its writer opens it later than it is first
            # looked at
            pass

    def cut(self) -> int:
        """Cut the file where it has grown beyond the cap; return its size in bytes."""
        size = os.stat(self.path).st_size
        if size > self._cap:
            os.truncate(self.path, self._cap)
        return min(size, self._cap)

    def start_anew(self) -> None:
        """Forget what has been printed so far: each call has the whole cap."""
        os.truncate(self.path, 0)

    def text(self) -> str:
        """Return what was printed."""
        self.cut()
        with open(self.path, encoding="utf-8", errors="backslashreplace") as file:
            return file.read(self._cap)
