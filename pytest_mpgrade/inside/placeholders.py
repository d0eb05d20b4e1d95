"""What stands in a request for things that cannot be sent, or that only the child has."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator

STAYS_EMPTY = "get() on a queue that stays empty: everything after 'STOP' was taken too"
"""What the exception says that a `BareQueue` raises; the grader knows it by that."""


class Own:
    """Stands in a request for a function of the submission's module, which the grader never
    imports.
    """

    def __init__(self, name: str) -> None:
        self.name = name


class Saved:
    """Stands for what an earlier step returned, or one item of it."""

    def __init__(self, name: str, item: int | None = None) -> None:
        self.name, self.item = name, item


class ThreadQueue:
    """Stands for a ``queue.Queue`` with these items in it."""

    def __init__(self, items: Iterable[object]) -> None:
        self.items = list(items)


class BareQueue:
    """A queue with nothing but `get` and `put`."""

    def __init__(self, items: Iterable[object]) -> None:
        self._items = list(items)

    def get(self) -> object:
        """Take the first item; an empty one is an error here, since nobody will ever put
        another.
        """
        if not self._items:
            raise IndexError(STAYS_EMPTY)
        return self._items.pop(0)

    def put(self, item: object) -> None:
        """Append *item*."""
        self._items.append(item)


class Lazily:
    """Stands for a generator in a request; generators cannot be pickled.

    Iterable once, no ``len``.
    """

    def __init__(self, items: Iterable[object]) -> None:
        self.items = items

    def make(self) -> Iterator[object]:
        """Return the generator."""
        return (item for item in self.items)


def sendable(function: object) -> object:
    """Return the function, or one that does the same where it has lost its name, as by a decorator
    without wraps.

    A submission may hand its own functions to its workers or not; that they can be pickled is asked
    of nobody.
    """
    try:
        pickle.dumps(function)
    except Exception:
        from pytest_mpgrade.inside import workloads

        return workloads.apply
    return function
