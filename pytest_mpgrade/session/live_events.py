"""What a grading tells whoever waits for it, while it works: a line of JSON for each event.

The grading appends to a file, and `mpgrade check`, which has started it, reads on from where it
was. The result file has all of it in the end; this is for the meantime.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Union

import msgspec

from pytest_mpgrade.records import BrokenOff, Ending, Outcome


class Began(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The tests are known, and how long they may take."""

    questions: int
    seconds: float


class TriesPlain(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The plainest call is made, or the notebook is executed."""


class PlainEnded(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The plainest call has come back, or not."""

    call: str
    start_method: str
    ending: Ending
    seconds: float
    why: str = ""  # where it did not return: in a few words


class QuestionEnded(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A question was asked under all its start methods and for all its variants."""

    criterion: str
    title: str
    outcome: Outcome
    start_methods: tuple[str, ...]  # under which it ended so


class Interrupted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A run was going on when the grading was interrupted."""

    broken_off: BrokenOff


LiveEvent = Union[Began, TriesPlain, PlainEnded, QuestionEnded, Interrupted]  # noqa: UP007 - msgspec reads it in Python 3.10


def append(event: LiveEvent, path: Path) -> None:
    """Add an event to the file."""
    with path.open("ab") as file:
        file.write(msgspec.json.encode(event) + b"\n")


class LiveReader:
    """Reads the events of a file that is written to."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0

    def new(self) -> Iterator[LiveEvent]:
        """Yield the events that have come since the last time; none of a line that is not whole."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._at)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._at += len(line)
                yield msgspec.json.decode(line, type=LiveEvent)
