"""How a program is started in a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


def _nothing() -> None:
    """Enter no isolation."""


@dataclass(frozen=True, kw_only=True)
class Start:
    """How a process is started: in a session of its own, its standard streams in files."""

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: str
    out: str
    err: str
    # called in the new process, which is traced by then, before its program
    enter: Callable[[], None] = _nothing
    keep: tuple[int, ...] = ()  # file descriptors that it inherits
