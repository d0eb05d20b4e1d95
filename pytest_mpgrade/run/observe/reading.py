"""Whether the caller still reads: one that collects results has not hung.

A caller that takes results one by one may use next to no core time.
"""

from __future__ import annotations

import time

READING_SECONDS = 3.0
"""Seconds after its last read for which a caller counts as collecting results, however little core
time it uses.
"""


class Reading:
    """How many bytes the calling process has read, and when that number last changed."""

    def __init__(self) -> None:
        self._chars = -1
        self._changed = 0.0

    def look(self, now: float, chars: int) -> None:
        """Take in the number of bytes read until *now*."""
        if chars != self._chars:
            self._changed = now if self._chars >= 0 else 0.0
            self._chars = chars

    @property
    def lately(self) -> bool:
        """Whether the caller has read anything in the last `READING_SECONDS`."""
        return time.monotonic() < self._changed + READING_SECONDS
