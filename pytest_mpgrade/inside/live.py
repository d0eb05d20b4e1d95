"""The queues and connections that a call is given, and what is left in them when it has ended."""

from __future__ import annotations

from pytest_mpgrade.inside import bootstrap
from pytest_mpgrade.inside.placeholders import BareQueue, PipeEnd, ThreadQueue

TYPE_CHECKING = False
if TYPE_CHECKING:  # every spawned worker pays for an import
    from collections.abc import Callable
    from typing import Any

STAND_INS = (ThreadQueue, BareQueue, PipeEnd)
"""The stand-ins that `made_live` takes."""


class Live:
    """Something real that a call is given, and a look at what the call has left in it."""

    def __init__(self, argument: object, left: Callable[[], list[object]]) -> None:
        self.argument = argument
        self._left = left

    def remaining(self) -> object:
        """Return, as plain data, the items that are left."""
        from pytest_mpgrade.inside import plain_data

        return plain_data.encode(self._left())


def made_live(stand_in: ThreadQueue | BareQueue | PipeEnd) -> Live:
    """Return what a stand-in stands for."""
    if isinstance(stand_in, PipeEnd):
        return _pipe(stand_in)
    if isinstance(stand_in, BareQueue):
        return Live(stand_in, lambda: list(stand_in._items))
    real = bootstrap.library("queue").Queue()
    for item in stand_in.items:
        real.put(item)
    return Live(real, lambda: list(real.queue))


def _pipe(stand_in: PipeEnd) -> Live:
    """Return one end of a pipe; at its other end the items have been sent."""
    ours, theirs = bootstrap.library("multiprocessing").Pipe()
    for item in stand_in.items:
        ours.send(item)

    def left() -> list[object]:
        # Held until now: garbage collection closes a connection, too.
        return _heard(ours, theirs)

    return Live(theirs, left)


def _heard(ours: Any, theirs: Any) -> list[object]:
    """Return the answers at our end of a pipe, and whether the other end has been closed.

    Both ends are closed afterwards.
    """
    answers: list[object] = []
    closed = False
    try:
        while ours.poll():
            answers.append(ours.recv())
    except (EOFError, OSError):  # OSError: messages to the closed end were lost
        closed = True
    ours.close()
    theirs.close()
    return [answers, closed]
