"""What an exploration of schedules has found; part of the records."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pytest_mpgrade.records.finding import Finding
from pytest_mpgrade.records.points import Point, Visit, point_in
from pytest_mpgrade.records.trace import Stuck

_TOKEN = re.compile(r"(?P<method>fork|spawn|forkserver):(?P<points>.+)")


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Which threads are held, and where; each goes on when nothing else can happen.

    Of several that are held at a time, the first of *holds* goes on first.
    """

    start_method: str
    holds: tuple[Point, ...] = ()

    @property
    def token(self) -> str:
        """The schedule in one word, which `mpgrade explore --replay` takes."""
        return f"{self.start_method}:{'+'.join(point.text for point in self.holds)}"

    @property
    def texts(self) -> tuple[str, ...]:
        """The points as they go down to the processes of a run."""
        return tuple(point.text for point in self.holds)


def schedule_in(token: str) -> Schedule:
    """Return the schedule of a token; raise ValueError where it is none."""
    found = _TOKEN.fullmatch(token.strip())
    if found is None:
        raise ValueError(f"no token of a schedule: {token[:60]!r}")
    points = tuple(map(point_in, found["points"].split("+")))
    return Schedule(start_method=found["method"], holds=points)


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A schedule under which a call breaks each time."""

    schedule: Schedule
    finding: Finding  # what a check says of the last replay
    replays: int  # in each of which it broke
    visits: tuple[Visit, ...] = ()  # of the last replay
    stuck: tuple[Stuck, ...] = ()  # of a replay that hung: what each process waits for
