"""Calls that are timed: tasks that only wait and tasks that compute, few of them and more."""

from __future__ import annotations

from typing import Literal, NamedTuple

from pytest_mpgrade.records import GateReport, Run
from pytest_mpgrade.tasks import Workload, timed_naps, timed_spins

FEW, MORE = 1, 4
"""Tasks for each process, in the two calls whose difference is judged."""
NAP_SECONDS = 0.04
"""Long beside the cost of handing a task out, about 1 ms, and short enough for tens of pairs."""
SPIN_ROUNDS = 150_000
"""About 15 ms of computing, beside which the cost of queues does not count."""
SPIN_SECONDS = 0.02
"""Seconds that a usual core needs at most for `SPIN_ROUNDS`.

A machine that needs more is slow, or busy with something else, and all other timed calls take
longer too.
"""

TaskKind = Literal["nap", "spin"]
"""Tasks that only wait, and tasks that compute."""


class TimedCall(NamedTuple):
    """A call of so many tasks of one kind with *n* processes."""

    kind: TaskKind
    tasks: int
    n: int

    def workload(self) -> Workload:
        """Return the tasks of this call."""
        if self.kind == "nap":
            return timed_naps(self.tasks, self.n, NAP_SECONDS)
        return timed_spins(self.tasks, self.n, SPIN_ROUNDS)


Round = dict[TimedCall, Run]
"""Calls that were made one after the other in one process, in this order."""


def timed_call(kind: TaskKind, count: int, n: int) -> TimedCall:
    """Return the call of *count* tasks for each of *n* processes."""
    return TimedCall(kind, count * n, n)


def serial_call(n: int) -> TimedCall:
    """Return the call of one process that computes the tasks of *n* processes."""
    return TimedCall("spin", MORE * n, 1)


def gates_of(run: Run) -> GateReport:
    """Return the gate report of a timed run, which always has one."""
    assert run.trace.gates is not None
    return run.trace.gates
