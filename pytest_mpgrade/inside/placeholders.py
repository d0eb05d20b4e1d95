"""Stand-ins in a request for values that cannot be pickled, or that only the child has."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator

STAYS_EMPTY = "get() on a queue that stays empty: everything after 'STOP' was taken too"
"""The message of the exception that a `BareQueue` raises; the grader recognises it by this text."""


NOBODY = "http://127.0.0.1:1"
"""Where nobody listens on loopback: port 1 belongs to a service that there is no more."""


class Own:
    """Stands for a function of the submission's module, which the grader never imports."""

    def __init__(self, name: str) -> None:
        self.name = name


class Saved:
    """Stands for what an earlier step returned, or for one item of it."""

    def __init__(self, name: str, item: int | None = None) -> None:
        self.name, self.item = name, item


class Address:
    """Stands for the address of a page of the grader's web server, or of one that there is not."""

    def __init__(self, path: str, *, refused: bool = False) -> None:
        self.path, self.refused = path, refused

    def at(self, server: str) -> str:
        """Return the address, where the server is at *server*."""
        return f"{NOBODY if self.refused else server}{self.path}"


class ThreadQueue:
    """Stands for a ``queue.Queue`` that holds these items."""

    def __init__(self, items: Iterable[object]) -> None:
        self.items = list(items)


class BareQueue:
    """A queue with nothing but `get` and `put`."""

    def __init__(self, items: Iterable[object]) -> None:
        self._items = list(items)

    def get(self) -> object:
        """Take the first item; raise IndexError if there is none.

        Nobody will put another item, so waiting for one would last for ever.
        """
        if not self._items:
            raise IndexError(STAYS_EMPTY)
        return self._items.pop(0)

    def put(self, item: object) -> None:
        """Append *item*."""
        self._items.append(item)


class PipeEnd:
    """Stands for one end of a ``multiprocessing.Pipe``, to whose other end these were sent."""

    def __init__(self, items: Iterable[object]) -> None:
        self.items = list(items)


class Lazily:
    """Stands for a generator, which cannot be pickled.

    Iterable once, without ``len``.
    """

    def __init__(self, items: Iterable[object]) -> None:
        self.items = items

    def make(self) -> Iterator[object]:
        """Return the generator."""
        return (item for item in self.items)


def sendable(function: object) -> object:
    """Return the function, or one that does the same where it cannot be pickled.

    A decorator without `functools.wraps` makes a function lose its name, and pickle needs the name.
    A submission need not hand its own functions to its workers, so no check asks that they can be
    pickled.
    """
    try:
        pickle.dumps(function)
    except Exception:
        from pytest_mpgrade.inside import workloads

        return workloads.apply
    return function
