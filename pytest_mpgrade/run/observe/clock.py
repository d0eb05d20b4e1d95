"""The tree's own time, without the seconds in which the tree waited for us.

The tracer is a thread like any other, so on a busy machine it gets its turn late. A process that
stands still until then is not slow and does not linger. See docs/gates.md, own-time.
"""

from __future__ import annotations

import time
from collections.abc import Callable

MOST_SECONDS = 30.0
"""Seconds of a run that may be left out. A supervisor has more time to spare than that."""


class Clock:
    """The *time* without the seconds *held_up*; see `Observer` for *pending* and *taken*."""

    def __init__(
        self,
        pending: Callable[[], bool],
        taken: Callable[[], int],
        time: Callable[[], float] = time.monotonic,
    ) -> None:
        self.held_up = 0.0
        self._time = time
        self._pending, self._taken = pending, taken
        self._since: float | None = None  # time of the last look, if an event was pending then
        self._count = 0  # of events taken in by then

    def look(self) -> float:
        """Return the seconds since the last look, if the tree has waited for us all that time.

        If an event was taken in meanwhile, we had our turn and held nobody up: the answer is 0.
        """
        now, count, waits = self._time(), self._taken(), self._pending()
        same = waits and self._since is not None and count == self._count
        held = (
            min(now - self._since, MOST_SECONDS - self.held_up)
            if same and self._since is not None
            else 0.0
        )
        self._since, self._count = now if waits else None, count
        self.held_up += held
        return held

    def now(self) -> float:
        """Return the tree's time in seconds, for differences.

        It stands still while the tree waits for us.
        """
        return self._time() - self.held_up
