"""Timing of a submission's pattern in turn with the reference's.

Pairs are timed until the answer is clear or time is up.

What a pattern costs is the cost of each further task: of tasks that only wait the wall time, of
these and tasks that compute together the CPU time of the whole tree. Both are differences of calls
with few and with more tasks. Load biases neither. The clock of a call starts when all workers stand
at their first tasks, so start-up is a figure of its own. It starts at a random time, so that a
parent which polls for the end is as often early as late. See docs/timing.md, measurement.
"""

from __future__ import annotations

import dataclasses
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pytest_mpgrade import steps
from pytest_mpgrade.errors import SupervisorError
from pytest_mpgrade.judge import speedup_statistics
from pytest_mpgrade.records import (
    Ending,
    Look,
    Machine,
    Pair,
    Run,
    Scaling,
    Scenario,
    SpeedRules,
    TimedStart,
    Timing,
    as_kind,
)
from pytest_mpgrade.run.client.request import Setting
from pytest_mpgrade.student.pair_figures import pair_of, slowdown
from pytest_mpgrade.student.runs import timed_runs
from pytest_mpgrade.student.timed_calls import (
    FEW,
    MORE,
    Round,
    TimedCall,
    gates_of,
    serial_call,
    timed_call,
)
from pytest_mpgrade.student.unmade_runs import broken_runs
from pytest_mpgrade.system import machine, machine_lock, quotas

SHOWN = 2
"""Pairs that are timed in one process, too, for learning.

Where the comparison with one process is judged, all pairs are.
"""
PATIENCE = 3.0
"""On a machine that is slow or busy, pairs may take so many times their usual seconds, at most."""
DELAY_SECONDS, LONGEST_DELAY = 0.1, 1.0
"""The gates stay shut for random seconds, between 0 and the first number.

The range grows up to the second number where calls end later than the reference's, since their
parent may poll that seldom.
"""
SCALED_TASKS, SCALED_ROUNDS = 8, 3
"""Tasks for each process, and calls of each number of processes, where times are only shown."""


NO_DELAYS: Mapping[TimedCall, float] = {}


class _Taken(NamedTuple):
    """What a timing saw."""

    pairs: Sequence[Pair]
    last: Run  # of the submission
    problem: str  # with the reference
    machine: Machine
    looks: tuple[Look, ...]  # at a call where the submission is slow


@dataclass(frozen=True, kw_only=True)
class Timer:
    """Times one function of the submission, with *n* processes, against the reference's."""

    own: Setting
    theirs: Setting
    function: str
    n: int
    start_method: str
    tell: Callable[[str], None]
    against_serial: bool = False

    def take(self, rules: SpeedRules) -> Timing:
        """Take pairs, until they decide or time is up; it ends at the first call that goes wrong.

        Load does not bias what is compared, so they are taken beside other gradings first. What is
        not clear then is timed once more while no other grading runs on the machine.
        """
        began = time.monotonic()
        pairs, last, problem, here, looks = self._at_once(rules) or self._in_turn(rules)
        took = time.monotonic() - began
        trace = dataclasses.replace(last.trace, looks=looks)
        last = dataclasses.replace(last, trace=trace, seconds=took, call=self._named(last))
        return as_kind(Timing, last, pairs=tuple(pairs), rules=rules, machine=here, problem=problem)

    def _at_once(self, rules: SpeedRules) -> _Taken | None:
        """Return a timing that waits for nobody; None if others disturb it and it is not clear."""
        with machine_lock.alone_at_once() as alone:
            if alone:
                return self._taken(rules, alone=True)
        with machine_lock.shared():
            taken = self._taken(rules, alone=False)
        clear = taken.pairs and speedup_statistics.decided(taken.pairs, rules)
        return taken if clear else None

    def _in_turn(self, rules: SpeedRules) -> _Taken:
        """Return a timing that has waited until no other grading runs."""
        with machine_lock.alone(self.tell) as alone:
            return self._taken(rules, alone=alone)

    def _taken(self, rules: SpeedRules, *, alone: bool) -> _Taken:
        pairs, last, problem = self._pairs(rules)
        looks = self._looks(speedup_statistics.judge_pairs(pairs, rules).slow)
        return _Taken(pairs, last, problem, machine.now(alone=alone), looks)

    def _named(self, last: Run) -> str:
        """Return the call that went wrong; where none did, words for all timed calls."""
        returned = last.ending is Ending.RETURNED
        return f"{self.function}(timed tasks, n_processes={self.n})" if returned else last.call

    def _pairs(self, rules: SpeedRules) -> tuple[list[Pair], Run, str]:
        """Return the pairs, the submission's last run, and what was wrong with the reference's."""
        pairs: list[Pair] = []
        began, draw = time.monotonic(), random.SystemRandom()
        while True:
            own, theirs = self._both(draw, pairs)
            last, odd = _last(own)
            reference, fault = _last(theirs)
            if fault:
                return pairs, last, f"the reference's {reference.call} {fault}"
            if odd:
                return pairs, last, ""
            pairs.append(pair_of(own, theirs, self.n))
            if speedup_statistics.decided(pairs, rules) or self._over(
                pairs, time.monotonic() - began, rules
            ):
                return pairs, last, ""

    def _over(self, pairs: Sequence[Pair], seconds: float, rules: SpeedRules) -> bool:
        """Tell whether a further pair would take too long.

        On a machine that is slow or busy, pairs may take longer altogether.
        """
        if len(pairs) >= rules.pairs:
            return True
        worth_it = len(pairs) < speedup_statistics.ENOUGH_TO_TAKE or _plainly_slow(pairs)
        slower = (
            PATIENCE
            if worth_it
            else min(PATIENCE, slowdown(pairs[-1], self.n, quotas.usable_cores()))
        )
        return seconds + seconds / len(pairs) > rules.seconds * slower

    def _both(self, draw: random.Random, pairs: Sequence[Pair]) -> tuple[Round, Round]:
        """Time both, one right after the other in random order, by the same calls in random order.

        Each call has a delay of its own. With the same delay in both, or evenly spread ones, the
        times of a parent that polls every 0.06 s would have two values only, and some pairs in a
        row with one of them would look like certainty.
        """
        naps = {
            timed_call("nap", count, self.n): draw.uniform(0, _reach(pairs))
            for count in (FEW, MORE)
        }
        spinning = self.against_serial or not _plainly_slow(pairs)
        spins = [timed_call("spin", count, self.n) for count in (FEW, MORE)] if spinning else []
        calls = draw.sample([*naps, *spins], len(naps) + len(spins))
        alone = [serial_call(self.n)] if self.against_serial or len(pairs) < SHOWN else []
        if draw.random() < 0.5:
            own = self._round(self.own, calls, naps)
            return own, self._round(self.theirs, [*calls, *alone])
        theirs = self._round(self.theirs, [*calls, *alone])
        return self._round(self.own, calls, naps), theirs

    def _round(
        self,
        setting: Setting,
        calls: Sequence[TimedCall],
        delays: Mapping[TimedCall, float] = NO_DELAYS,
        *,
        look: bool = False,
    ) -> Round:
        row = tuple(
            steps.call(
                self.function,
                call.workload(),
                n_processes=call.n,
                look=look,
                seconds=60.0,
                gates=TimedStart(n=call.n, delay=delays.get(call, 0.0)),
            )
            for call in calls
        )
        scenario = Scenario(steps=row, start_method=self.start_method)
        try:
            runs = timed_runs(scenario, setting)
        except SupervisorError as error:
            runs = broken_runs(scenario, error)
        return dict(zip(calls, runs[1:], strict=True))

    def _looks(self, slow: Sequence[str]) -> tuple[Look, ...]:
        """Where a submission is slow, run it once more and sample its stacks meanwhile."""
        if not slow:
            return ()
        call = timed_call("spin" if slow[0] == "computing" else "nap", MORE, self.n)
        return self._round(self.own, [call], look=True)[call].trace.looks

    def scale(self, workers: Sequence[int]) -> Scaling:
        """Time tasks that only wait, with several numbers of processes.

        It ends at the first call that goes wrong.
        """
        calls = [TimedCall("nap", SCALED_TASKS, n) for n in workers]
        times: dict[int, list[float]] = {n: [] for n in workers}
        with machine_lock.alone(self.tell) as alone:
            for _ in range(SCALED_ROUNDS):
                row = random.SystemRandom().sample(calls, len(calls))
                runs = self._round(self.own, row)
                last, odd = _last(runs)
                if odd:
                    break
                for call, run in runs.items():
                    times[call.n].append(gates_of(run).spent)
            here = machine.now(alone=alone)
        return as_kind(
            Scaling, last, times={n: tuple(each) for n, each in times.items()}, machine=here
        )


def without_reference(function: str, start_method: str) -> Timing:
    """Return the timing of a submission without a reference to compare it with."""
    nothing = Machine(cores=0.0, load=0.0)
    return Timing(
        key=f"timing/{function}/{start_method}",
        call=function,
        function=function,
        start_method=start_method,
        ending=Ending.RETURNED,
        reference=False,
        machine=nothing,
    )


def _last(round: Round) -> tuple[Run, str]:
    """Return the first run that cannot be timed, and why; or the last one, and ""."""
    for call, run in round.items():
        if odd := _odd(call, run):
            return run, odd
    return list(round.values())[-1], ""


def _odd(call: TimedCall, run: Run) -> str:
    if run.ending is not Ending.RETURNED:
        return f"did not return ({run.ending}{': ' * bool(run.why)}{run.why})"
    gates = gates_of(run)
    pids = {event.pid for event in run.trace.events}
    if not gates.met or len(pids) > gates.wanted:
        return f"had {len(pids)} processes at work, not {gates.wanted} at a time"
    started = [event.key for event in run.trace.events if event.kind in ("gate", "note")]
    if len(started) == len(set(started)) == call.tasks:
        return ""
    return f"did not run each of {call.tasks} tasks once"


def _plainly_slow(pairs: Sequence[Pair]) -> bool:
    """Tell whether waiting tasks take twice as long: no other figure then changes the verdict."""
    ratio = speedup_statistics.ratio([pair.waiting for pair in pairs])
    return len(pairs) >= 2 and ratio.estimate > 2


def _reach(pairs: Sequence[Pair]) -> float:
    late = max((own - theirs for own, theirs in (pair.ending for pair in pairs)), default=0.0)
    return min(LONGEST_DELAY, DELAY_SECONDS + 2 * max(0.0, late - DELAY_SECONDS))
