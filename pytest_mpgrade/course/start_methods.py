"""The start methods of multiprocessing under which a test runs."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence


def chosen(asked: Sequence[str], marked: Sequence[str]) -> tuple[str, ...]:
    """Return the start methods for a test: those that it is *marked* with, else all *asked* ones.

    *asked* are the assignment's. The mark "any" means the first of them that this platform has, and
    "default" the first of the platform's, its default, that is among them.
    """
    here = multiprocessing.get_all_start_methods()  # the platform's default is the first
    if tuple(marked) == ("any",):
        return tuple(method for method in asked if method in here)[:1]
    if tuple(marked) == ("default",):
        return tuple(method for method in here if method in asked)[:1]
    return tuple(marked or asked)


def available(start_method: str) -> bool:
    """Tell whether this platform has a start method."""
    return start_method in multiprocessing.get_all_start_methods()
