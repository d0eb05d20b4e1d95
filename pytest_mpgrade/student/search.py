"""What an exploration still has to try, and what has come out so far."""

from __future__ import annotations

import itertools
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_mpgrade.records import Ending, Finding, Run, Schedule
from pytest_mpgrade.student import schedules

PER_SECOND, LONGEST = 16, 8
"""An exploration begins so many schedules for each of its seconds, however long that takes, but for
so many times its seconds at most: what is found should not depend on the machine and its load.
"""
ROUNDS, PLAY_SECONDS = 4, 4.0
"""The most rounds of one play, and how long it should take. After a round that breaks, those behind
it are made again.
"""


@dataclass(frozen=True, kw_only=True)
class Played:
    """One round as it was played: a run for each step that was reached."""

    schedule: Schedule
    runs: tuple[Run, ...]
    wrong: Finding | None

    @property
    def late(self) -> bool:
        """Whether a call had not come back at its time limit."""
        return any(run.ending is Ending.TIMED_OUT for run in self.runs)

    @property
    def held(self) -> bool:
        """Whether a thread came to each point of the schedule."""
        came = [visit.point for run in self.runs for visit in run.visits]
        return all(hold.reached_by(came) for hold in self.schedule.holds)


@dataclass(kw_only=True)
class Search:
    """What is still to be tried, and what has come out so far."""

    left: Iterator[Schedule]
    depth: int
    source: Mapping[str, str]
    known: set[schedules.Place]  # to which threads came, with or without holds
    opened: deque[Schedule] = field(default_factory=deque)  # that hold where others have led
    again: deque[Schedule] = field(default_factory=deque)
    tried: Counter[int] = field(default_factory=Counter)
    suspects: deque[Schedule] = field(default_factory=deque)  # that broke once
    unsure: int = 0  # suspects that did not break in each replay
    begun: int = 0  # different schedules, those of unfinished plays too
    spent: float = 0.0  # seconds of all plays that have ended
    rounds: int = 0  # in all of these

    def next_play(self) -> list[Schedule]:
        """Return the schedules of the next play; none where all have been tried."""
        size = self._size()
        batch = [self.again.popleft() for _ in range(min(size, len(self.again)))]
        again = len(batch)
        batch += [self.opened.popleft() for _ in range(min(size - again, len(self.opened)))]
        batch += itertools.islice(self.left, size - len(batch))
        self.begun += len(batch) - again
        return batch

    def _size(self) -> int:
        """Return the rounds of the next play: fewer where each takes long, as beside polls."""
        if not self.rounds:
            return ROUNDS // 2
        return max(1, min(ROUNDS, round(PLAY_SECONDS * self.rounds / self.spent)))

    def goes_on(self, began: float, seconds: float) -> bool:
        """Tell whether another play is to be begun."""
        spent = time.monotonic() - began
        rest = self.again or self.begun < PER_SECOND * seconds
        return bool(rest) and spent < LONGEST * seconds

    def take(self, batch: Sequence[Schedule], played: Sequence[Played], seconds: float) -> None:
        """Take in a play of so many *seconds*; those of its *batch* not reached are made again."""
        self.spent += seconds
        self.rounds += len(played)
        for each in played:
            self.tried[len(each.schedule.holds)] += each.held
            if each.wrong is not None and each.held:
                self.suspects.append(each.schedule)
            elif each.held and len(each.schedule.holds) < self.depth:
                self._follow(each)
        if played:  # else the machine or the grader is at fault, and these are left out
            self.again.extend(batch[len(played) :])

    def _follow(self, played: Played) -> None:
        visits = [visit for run in played.runs for visit in run.visits]
        self.opened += schedules.that_follow(played.schedule, visits, self.known, self.source)
        self.known |= schedules.places_of(visits)
