"""The figures of one pair: what a round of the submission and one of the reference measured."""

from __future__ import annotations

import dataclasses

from pytest_mpgrade.records import Pair
from pytest_mpgrade.student.timed_calls import (
    FEW,
    MORE,
    NAP_SECONDS,
    SPIN_SECONDS,
    Round,
    TaskKind,
    gates_of,
    serial_call,
    timed_call,
)


def pair_of(own: Round, theirs: Round, n: int) -> Pair:
    """Return the figures of the submission's round and the reference's, with *n* processes."""
    pair = Pair(
        waiting=(_waited(own, n), _waited(theirs, n)),
        computing=None,
        starting=(_starting(own), _starting(theirs)),
        working=(_working(own, n), _working(theirs, n)),
        ending=(_ending(own, n), _ending(theirs, n)),
    )
    more, serial = timed_call("spin", MORE, n), serial_call(n)
    if more not in own:
        return pair
    return dataclasses.replace(
        pair,
        computing=_known(_computed(own, n, "spin", "nap"), _computed(theirs, n, "spin", "nap")),
        polling=_known(_computed(own, n, "nap"), _computed(theirs, n, "nap")),
        wall=(gates_of(own[more]).spent, gates_of(theirs[more]).spent),
        serial=gates_of(theirs[serial]).spent if serial in theirs else 0.0,
    )


def slowdown(pair: Pair, n: int, cores: float) -> float:
    """Return the factor by which the machine slowed down the reference's computing tasks.

    It compares their time in *n* processes with what they need on free cores of usual speed, and is
    1 at least.
    """
    return max(1.0, pair.wall[1] * min(n, cores) / (n * MORE * SPIN_SECONDS))


def _starting(round: Round) -> float:
    """Return the mean seconds until all workers had arrived."""
    return sum(gates_of(run).there for run in round.values()) / len(round)


def _waited(round: Round, n: int) -> float:
    """Return the seconds of wall time for a further task that only waits."""
    few, more = (gates_of(round[timed_call("nap", count, n)]).spent for count in (FEW, MORE))
    return (more - few) / (n * (MORE - FEW))


def _working(round: Round, n: int) -> float:
    """Return the seconds from the opening of the gates to the end of the last task."""
    run = round[timed_call("nap", MORE, n)]
    return max(event.at for event in run.trace.events) + NAP_SECONDS - gates_of(run).opened


def _ending(round: Round, n: int) -> float:
    """Return the seconds from the end of the last task to the end of the call."""
    return gates_of(round[timed_call("nap", MORE, n)]).spent - _working(round, n)


def _computed(round: Round, n: int, *kinds: TaskKind) -> float | None:
    """Return the CPU seconds of the whole tree for a further task of each of these kinds.

    A process that polls while tasks only wait burns a core all that time; among tasks that compute
    it shows less.
    """
    measured = [
        gates_of(round[timed_call(kind, count, n)]).computed
        for kind in kinds
        for count in (MORE, FEW)
    ]
    known = [seconds for seconds in measured if seconds is not None]
    if len(known) < len(measured):
        return None
    return (sum(known[::2]) - sum(known[1::2])) / (n * (MORE - FEW))


def _known(own: float | None, theirs: float | None) -> tuple[float, float] | None:
    return None if own is None or theirs is None else (own, theirs)
