"""How a process of a run is started."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


def _nothing() -> None:
    """Enter no isolation."""


@dataclass(frozen=True, kw_only=True)
class Start:
    """The program, surroundings and isolation of a process.

    The process gets a session of its own, and files as its standard streams.
    """

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: str
    out: str
    err: str
    # The new process calls it when it is traced, before it executes the program.
    enter: Callable[[], None] = _nothing
    keep: tuple[int, ...] = ()  # file descriptors that it inherits
