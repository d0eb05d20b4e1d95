"""Points at which a schedule holds a process or thread; part of the records.

A schedule of an exploration holds a thread at one point, or at a few, until nothing else can
happen. A point is known by who comes there, where it is, and at which visit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

CALLER, WORKER, ANOTHER = "caller", "worker", "another"
"""The role of the process that calls the submission, that of whichever worker comes first, and that
of whichever comes next: the first one may have left something by then.
"""
_TEXT = re.compile(r"(?P<role>[\w.]+)(?:/(?P<thread>[^@]+))?@(?P<place>[^#]+)#(?P<visit>\d+)")


@dataclass(frozen=True, kw_only=True, order=True)
class Point:
    """A moment in a run: a thread comes to a place for the *visit*-th time, from 1."""

    role: str
    """``"caller"``, or ``"worker2"`` for the second process that the call has started; of a hold
    also ``"worker"``, for the first of them that comes there, and ``"another"``, for the next one.
    """
    place: str
    """``"cv_funcs.py:22"``: before the line runs; ``"cv_funcs.py:22~"``: before it stores what it
    has read; or one of the names of `inside/points.py`, such as ``"feeder writes"``.
    """
    visit: int
    thread: str = ""
    """The name of the thread; "" for the main thread."""

    @property
    def text(self) -> str:
        """The point in one word, as a token of a schedule has it."""
        thread = f"/{self.thread}" if self.thread else ""
        return f"{self.role}{thread}@{self.place}#{self.visit}"

    def meets(self, hold: Point) -> bool:
        """Tell whether who comes here comes to the point of a *hold*."""
        anybody = hold.role in (WORKER, ANOTHER) and self.role.startswith(WORKER)
        return self == (replace(hold, role=self.role) if anybody else hold)

    def reached_by(self, came: Iterable[Point]) -> bool:
        """Tell whether somebody who came to one of these points was to be held here."""
        roles = {point.role for point in came if point.meets(self)}
        return len(roles) > (self.role == ANOTHER)

    @property
    def line(self) -> int:
        """The number of the submission's line; 0 for a point of multiprocessing's own."""
        _, colon, number = self.place.rstrip("~").rpartition(":")
        return int(number) if colon and number.isdigit() else 0

    @property
    def file(self) -> str:
        """The submission's file; "" for a point of multiprocessing's own."""
        return self.place.rpartition(":")[0] if self.line else ""


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A thread has come to a point, or goes on from one at which it was held. Advisory."""

    point: Point
    goes_on: bool = False


def point_in(text: str) -> Point:
    """Return the point that a text stands for; raise ValueError where it stands for none."""
    found = _TEXT.fullmatch(text)
    if found is None:
        raise ValueError(f"no point of a schedule: {text[:60]!r}")
    return Point(
        role=found["role"],
        thread=found["thread"] or "",
        place=found["place"],
        visit=int(found["visit"]),
    )
