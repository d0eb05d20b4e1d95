"""Awaits a coroutine function of the submission, in an event loop of the grader's own.

Beside the awaited calls the loop listens to the grader over a connection of its own. The grader
asks over it whether the loop turns. A loop that a coroutine blocks cannot answer.
"""

from __future__ import annotations

import asyncio
import inspect
import select

from pytest_mpgrade.inside import gates

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

LISTEN_SECONDS = 0.02
"""Seconds between two looks at the connection, where a loop cannot wait for one (Windows)."""


class NotAwaitableError(TypeError):
    """What the function returned cannot be awaited, as what a plain function returns."""


def run_awaited(
    awaited: str,
    function: Callable[..., object],
    args: Sequence[object],
    kwargs: Mapping[str, object],
) -> object:
    """Call *function* within a new event loop in debug mode; return what awaiting it gives.

    *awaited*: see `records.Awaiting`. Several calls "together" have a list of values, and a call
    that is "never" awaited has the type of what the function returned.
    """
    return asyncio.run(_played(awaited, function, args, kwargs), debug=True)


async def _played(
    awaited: str,
    function: Callable[..., object],
    args: Sequence[object],
    kwargs: Mapping[str, object],
) -> object:
    if awaited == "never":
        return _unawaited(function(*args, **kwargs))
    with _Line() as line:
        if awaited == "together":  # a list of arguments for each call
            return await asyncio.gather(*(_awaitable(function(*each)) for each in _lists(args)))
        awaitable = _awaitable(function(*args, **kwargs))
        if awaited == "cancelled":
            awaitable = line.cancelled = asyncio.ensure_future(awaitable)
        return await awaitable


def _lists(args: Sequence[object]) -> list[list[object]]:
    return [each for each in args if isinstance(each, list)]


def _awaitable(made: object) -> Awaitable[object]:
    if not inspect.isawaitable(made):
        raise NotAwaitableError(f"{type(made).__name__} cannot be awaited")
    return made


def _unawaited(made: object) -> str:
    if inspect.iscoroutine(made):
        made.close()
        return "coroutine"
    if isinstance(made, asyncio.Future):
        made.cancel()
    return type(made).__name__


class _Line:
    """The loop's own connection to the grader; a context in which the loop listens."""

    def __init__(self) -> None:
        self.cancelled: asyncio.Future[object] | None = None  # what "cancel" is meant for
        self._loop = asyncio.get_running_loop()
        self._channel = gates.connect()
        self._polling: asyncio.Future[None] | None = None

    def __enter__(self) -> _Line:
        gates.send_over(self._channel, "loop")
        try:
            self._loop.add_reader(self._channel.fileno(), self._hear)
        except NotImplementedError:
            self._polling = asyncio.ensure_future(self._poll())
        return self

    def __exit__(self, *_: object) -> None:
        if self._polling is None:
            self._loop.remove_reader(self._channel.fileno())
        else:
            self._polling.cancel()
        self._channel.close()

    async def _poll(self) -> None:
        while True:
            if select.select([self._channel.fileno()], [], [], 0)[0]:
                self._hear()
            await asyncio.sleep(LISTEN_SECONDS)

    def _hear(self) -> None:
        """Take in one message of the grader."""
        word, _, number = self._channel.recv().decode("ascii", "replace").partition(" ")
        if word == "turn":
            gates.send_over(self._channel, "turned", key=number)
        elif word == "cancel" and self.cancelled is not None:
            self.cancelled.cancel()
        elif not word:  # the grader is gone
            self._loop.remove_reader(self._channel.fileno())
