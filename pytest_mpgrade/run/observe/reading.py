"""Who reads goes on: a caller that takes results one by one may use next to no core time, and has
not hung.
"""

from __future__ import annotations

import time

READING_SECONDS = 3.0
"""A caller that has read something so lately is busy collecting, however little core time that
takes.
"""


class Reading:
    """How much the calling process has read, and when that was last seen to change."""

    def __init__(self) -> None:
        self._chars = -1
        self._changed = 0.0

    def look(self, now: float, chars: int) -> None:
        """Take in how many bytes it has read until *now*."""
        if chars != self._chars:
            self._changed = now if self._chars >= 0 else 0.0
            self._chars = chars

    @property
    def lately(self) -> bool:
        """Tell whether it has read anything in the last seconds."""
        return time.monotonic() < self._changed + READING_SECONDS
