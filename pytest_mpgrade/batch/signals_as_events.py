"""Signals that end a command, taken as events of a queue.

An exception that a signal raises may come anywhere in Python code. In the middle of a lock of the
`threading` module it leaves that lock broken, and a second Ctrl-C comes soon after the first.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from types import FrameType
from typing import TypeVar

Handler = Callable[[int, FrameType | None], object]
_Event = TypeVar("_Event")
_ENDING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
_LOOK_SECONDS = 0.5
"""Windows calls a signal's handler only when a wait is over."""


@contextlib.contextmanager
def signals_as_events(events: SimpleQueue[_Event | int]) -> Iterator[dict[int, Handler]]:
    """Put the number of each signal that would raise an exception into *events* instead.

    Gives the handlers that are replaced meanwhile. Signals come to the main thread only; in another
    one nothing is replaced. A signal's handler may call `SimpleQueue.put`, which is reentrant
    (https://docs.python.org/3/library/queue.html#queue.SimpleQueue.put).
    """
    replaced: dict[int, Handler] = {}
    if threading.current_thread() is threading.main_thread():
        for number in _ENDING:
            handler = signal.getsignal(number)
            if callable(handler):
                replaced[number] = handler
                signal.signal(number, lambda which, _frame: events.put(which))
    try:
        yield replaced
    finally:
        for number, handler in replaced.items():
            signal.signal(number, handler)


def next_event(events: SimpleQueue[_Event]) -> _Event:
    """Wait for the next event, and return it."""
    while True:
        with contextlib.suppress(Empty):
            return events.get(timeout=_LOOK_SECONDS)
