"""The tree's own time: seconds in which it stood still because we were late do not count against anybody.

Who traces processes is a thread like any other: on a busy machine it gets its turn late, and what waits for it until
then is not slow, and does not linger.
"""

from __future__ import annotations

import time
from collections.abc import Callable

MOST_SECONDS = 30.0
"""Of a run, which are not counted: less than a supervisor has to spare."""


class Clock:
    """Shows the *time* without what was *held_up*; *pending*: does anything wait for us now (`Observer.pending`)?"""

    def __init__(self, pending: Callable[[], bool], time: Callable[[], float] = time.monotonic) -> None:
        self.held_up = 0.0
        self._time = time
        self._pending = pending
        self._since: float | None = None  # when something was last seen to wait, and nothing else since

    def look(self) -> float:
        """Look whether anything waits for us; return the seconds since the last look, if something did then as well."""
        now, waits = self._time(), self._pending()
        held = now - self._since if waits and self._since is not None else 0.0
        held = min(held, MOST_SECONDS - self.held_up)
        self._since = now if waits else None
        self.held_up += held
        return held

    def now(self) -> float:
        """Return the tree's time in seconds, for differences: it stands while the tree does."""
        return self._time() - self.held_up

    @property
    def stands(self) -> bool:
        """Tell whether something was waiting for us at the last look, and may be waited for."""
        return self._since is not None and self.held_up < MOST_SECONDS
