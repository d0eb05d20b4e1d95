"""Explores schedules of a submission: is it right whatever the operating system's schedule?

Each schedule is a round: the calls are made while a thread is held at a point. Some rounds share a
process, and several processes play at a time, since they mostly wait. A round that breaks something
is replayed in processes of its own; only what breaks in each of them is told.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, replace

from pytest_mpgrade.errors import SupervisorError
from pytest_mpgrade.judge.check import Judge, judge_safely
from pytest_mpgrade.records import (
    Broken,
    Ending,
    Exploration,
    Finding,
    HeldPoints,
    Outcome,
    PlayRound,
    Run,
    Scenario,
    Schedule,
    Step,
    Visit,
    as_kind,
)
from pytest_mpgrade.run.client.request import Setting
from pytest_mpgrade.student import schedules
from pytest_mpgrade.student.runs import make_runs
from pytest_mpgrade.student.search import Played, Search
from pytest_mpgrade.student.unmade_runs import linked_runs, with_givers
from pytest_mpgrade.submission.sources import read_sources

REPLAYS = 5
"""Replays that all have to break before a schedule is told."""
MORE_PLAIN = 2
"""How often the round without holds is played again where it breaks: a race may have done that."""
ATTEMPTS = 3
"""How often the replays that are missing are made, where a schedule could not be played."""
AT_A_TIME = 12
"""Plays at a time. A held process costs no core, but each play at a time needs a supervisor."""
LATE_SECONDS = 10.0
"""Seconds after which a round is given up, besides those in which threads are held. They stand
still while others have the cores. The round without holds takes a tenth of them at most.
"""


@dataclass(frozen=True, kw_only=True)
class AskedStep:
    """A step of a round, and the checks that judge its run."""

    step: Step
    checks: tuple[Judge, ...] = ()


def asked_steps(parts: Sequence[Step | Judge]) -> list[AskedStep]:
    """Return steps with the checks that follow each; raise TypeError where none comes first."""
    asked: list[AskedStep] = []
    for part in parts:
        if isinstance(part, Step):
            asked.append(AskedStep(step=part))
        elif asked:
            asked[-1] = replace(asked[-1], checks=(*asked[-1].checks, part))
        else:
            raise TypeError("explore() takes a step first, and then the checks of its run")
    if not any(each.checks for each in asked):
        raise TypeError("explore() needs a check, which says when a call is right")
    return asked


class Explorer:
    """Explores the steps of one round under one start method."""

    def __init__(self, setting: Setting, start_method: str, asked: Sequence[AskedStep]) -> None:
        self._setting = setting
        self._method = start_method
        self._asked = tuple(asked)
        sources = read_sources(setting.submission, notebook=False).sources
        self._source = {
            f"{name.rpartition('/')[2]}:{number}": line.strip()
            for (name, _), text in sources.items()
            for number, line in enumerate(text.decode("utf-8", "replace").splitlines(), 1)
        }

    def explore(self, seconds: float, depth: int) -> Exploration:
        """Try schedules of up to *depth* holds, for about *seconds*; stop at the first sure one."""
        plain = self._plain()
        run = plain.runs[-1]
        if plain.wrong is not None:
            return as_kind(Exploration, run, plain=plain.wrong)
        self._limit(sum(each.seconds for each in plain.runs))
        visits = [visit for each in plain.runs for visit in each.visits]
        search = Search(
            left=self._candidates(visits, depth),
            depth=depth,
            source=self._source,
            known=schedules.places_of(visits),
        )
        broken = self._search(search, time.monotonic(), seconds)
        return as_kind(
            Exploration,
            run,
            tried=dict(search.tried),
            broken=broken,
            unsure=search.unsure,
            source=self._source,
        )

    def replay(self, schedule: Schedule) -> Exploration:
        """Play one schedule as often as a failure is replayed."""
        played = self._replayed(schedule)
        if not played:
            raise SupervisorError("the schedule could not be played")
        broken = self._not_just_slow(_sure(schedule, played), played)
        return as_kind(
            Exploration,
            played[-1].runs[-1],
            tried={len(schedule.holds): sum(each.held for each in played)},
            broken=broken,
            source=self._source,
        )

    def _plain(self) -> Played:
        """Play the round without holds; return one that is right where not each is wrong.

        What breaks by luck without a hold is what an exploration is to find, and no other fault.
        """
        schedule = Schedule(start_method=self._method)
        rounds = self._play([schedule])
        if rounds and rounds[0].wrong is not None:
            rounds += self._played_apart(schedule, MORE_PLAIN)
        if not rounds:
            raise SupervisorError("the call could not be explored")
        return next((each for each in rounds if each.wrong is None), rounds[0])

    def _limit(self, seconds: float) -> None:
        """Give rounds less time where the one without holds has taken so few *seconds*."""
        limits = self._setting.assignment.limits
        least = min(limits.seconds, max(LATE_SECONDS, 10 * seconds))
        limited = replace(self._setting.assignment, limits=replace(limits, seconds=least))
        self._setting = replace(self._setting, assignment=limited)

    def _candidates(self, visits: Sequence[Visit], depth: int) -> Iterator[Schedule]:
        yield from schedules.singles(self._method, visits, self._source)
        if depth > 1:
            seed = f"{self._setting.submission.sha256} {self._method}"
            yield from schedules.drawn(self._method, visits, self._source, seed, depth)

    def _search(self, search: Search, began: float, seconds: float) -> Broken | None:
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            playing: dict[Future[list[Played]], tuple[list[Schedule], float]] = {}
            while True:
                while len(playing) < AT_A_TIME and search.goes_on(began, seconds):
                    batch = search.next_play()
                    if not batch:
                        break
                    playing[pool.submit(self._play, batch)] = (batch, time.monotonic())
                if not playing:
                    return None
                done, _ = wait(playing, return_when=FIRST_COMPLETED)
                for future in done:
                    batch, since = playing.pop(future)
                    search.take(batch, future.result(), time.monotonic() - since)
                while search.suspects:
                    found = self._confirmed(search.suspects.popleft())
                    if found is not None:
                        return self._shrunk(found)
                    search.unsure += 1

    def _shrunk(self, broken: Broken) -> Broken:
        """Leave out each hold without which the call breaks just as surely."""
        for hold in broken.schedule.holds if len(broken.schedule.holds) > 1 else ():
            rest = tuple(each for each in broken.schedule.holds if each != hold)
            fewer = replace(broken.schedule, holds=rest)
            found = self._confirmed(fewer) if rest else None
            if found is not None:
                broken = found
        return broken

    def _confirmed(self, schedule: Schedule) -> Broken | None:
        """Return what a schedule breaks for sure, None if it may not."""
        played = self._replayed(schedule)
        return self._not_just_slow(_sure(schedule, played), played)

    def _not_just_slow(self, broken: Broken | None, played: Sequence[Played]) -> Broken | None:
        """Return *broken*, or None where a round without holds is late as well by now."""
        if broken is None or not any(each.late for each in played):
            return broken
        plain = self._play([Schedule(start_method=self._method)])
        return broken if plain and plain[0].wrong is None else None

    def _replayed(self, schedule: Schedule) -> list[Played]:
        """Play a schedule until it was played as often as asked for.

        A play in which no thread came to a point of it is none: on a busy machine a worker may get
        no task at all.
        """
        replays: list[Played] = []
        for _ in range(ATTEMPTS):
            missing = REPLAYS - sum(each.held for each in replays)
            replays += self._played_apart(schedule, missing)
            if all(each.held for each in replays) or any(_holds(each) for each in replays):
                break
        return [each for each in replays if each.held] or replays

    def _played_apart(self, schedule: Schedule, times: int) -> list[Played]:
        """Play a schedule so many times, each time in a process of its own."""
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            plays = pool.map(self._play, [[schedule]] * times)
            return [played for play in plays for played in play]

    def _play(self, batch: Sequence[Schedule]) -> list[Played]:
        """Play rounds in one process; return those that were reached, [] where the grader broke."""
        size = len(self._asked)
        calls = [place for place, asked in enumerate(self._asked) if asked.step.do == "call"]
        steps = tuple(
            self._held(asked.step, number, schedule, last=place == calls[-1])
            for number, schedule in enumerate(batch)
            for place, asked in enumerate(self._asked)
        )
        runs: Sequence[Run] = ()
        with suppress(SupervisorError):
            runs = make_runs(Scenario(steps=steps, start_method=self._method), self._setting)[1:]
        rounds = [
            linked_runs(with_givers(runs[at : at + size], steps[at : at + size]))
            for at in range(0, len(runs) - size + 1, size)
        ]
        return [
            Played(schedule=schedule, runs=played, wrong=self._wrong(played))
            for schedule, played in zip(batch, rounds, strict=False)
            if played[0].ending not in (Ending.NOT_TRIED, Ending.BROKEN, Ending.NOT_IMPORTED)
        ]

    def _held(self, step: Step, number: int, schedule: Schedule, *, last: bool) -> Step:
        holds = tuple(point.text for point in schedule.holds)
        script = HeldPoints(last=last, windows=schedules.windows(schedule))
        return replace(step, gates=script, explored=PlayRound(number=number, holds=holds))

    def _wrong(self, runs: Sequence[Run]) -> Finding | None:
        """Return what the first check that does not pass says of a round; None where all do."""
        for asked, run in zip(self._asked, runs, strict=True):
            if run.ending is Ending.BROKEN:
                return None  # the grader's fault
            for check in asked.checks:
                finding = judge_safely(check, run)
                blames = finding.outcome is Outcome.SKIPPED and finding.undecided_by
                if finding.outcome in (Outcome.FAILED, Outcome.ABSENT) or blames:
                    return finding
        return None


def _holds(played: Played) -> bool:
    """Tell whether a call was right although the schedule was played."""
    return played.held and played.wrong is None


def _sure(schedule: Schedule, played: Sequence[Played]) -> Broken | None:
    """Return what a schedule breaks, where it does so in each of the replays."""
    if len(played) < REPLAYS or not all(each.held and each.wrong for each in played):
        return None
    last = played[-1]
    assert last.wrong is not None
    return Broken(
        schedule=schedule,
        finding=last.wrong,
        replays=len(played),
        visits=last.runs[-1].visits,
        stuck=tuple(each for run in last.runs for each in run.trace.stuck),
    )
