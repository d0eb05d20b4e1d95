"""The tree's own time (docs/gates.md, own-time): seconds in which it stood still because we were
late count for nobody.

Who traces processes is a thread like any other: on a busy machine it gets its turn late, and what
waits for it until then is not slow, and does not linger.
"""

from __future__ import annotations

import time
from collections.abc import Callable

MOST_SECONDS = 30.0
"""Of a run, which are not counted: less than a supervisor has to spare."""


class Clock:
    """Shows the *time* without what was *held_up*; *pending*, *taken*: see `Observer`."""

    def __init__(
        self,
        pending: Callable[[], bool],
        taken: Callable[[], int],
        time: Callable[[], float] = time.monotonic,
    ) -> None:
        self.held_up = 0.0
        self._time = time
        self._pending, self._taken = pending, taken
        self._since: float | None = None  # the last look, if something was waiting for us then
        self._count = 0  # of what had been taken in by then

    def look(self) -> float:
        """Look whether anything waits for us; return the seconds since the last look, if it has
        waited all that time.

        Who keeps us busy is not held up: where anything was taken in meanwhile, it was our turn.
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
        """Return the tree's time in seconds, for differences: it stands while the tree does."""
        return self._time() - self.held_up
