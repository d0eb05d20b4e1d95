"""The check of how many items wait on a queue."""

from __future__ import annotations

from pytest_mpgrade.judge.check import PASSED, Verdict, failed, not_here
from pytest_mpgrade.judge.checks.rendezvous import no_crew
from pytest_mpgrade.judge.checks.shutdown import returned_early
from pytest_mpgrade.judge.definition import check
from pytest_mpgrade.records import Concern, Run


@check(
    title="at most {maxsize} items wait on the queue",
    concern=Concern.CONCURRENCY,
    hint="give the queue of items its maxsize, and let put() wait for room",
    of_tasks=True,
)
def bounded(run: Run, maxsize: int) -> Verdict:
    """While all consumers are busy, no more than *maxsize* items wait for them.

    The items were counted from outside: all processes but the consumers were stopped by a signal,
    so that nobody could put another item, and the consumers took what was there. What a producer
    holds, or has yet to put, does not count, nor do items that consumers had taken before. Of a
    manager's queue as many fewer count as threads may have been putting an item.

    The check needs a run with the gate script `records.Drained`. It fails when more items were
    waiting. It is absent when no task ran in a child process. It is skipped where processes cannot
    be stopped.

    It blames `values_in_any_order` when the call failed before it had run a task, or returned while
    tasks were held.
    """
    verdict = no_crew(run)
    gates = run.trace.gates
    if verdict is not None or gates is None:
        return verdict or PASSED
    if gates.early:
        return returned_early(run)
    if gates.drained is None:
        return not_here("the processes could not be stopped, to count what was waiting")
    if gates.drained <= maxsize:
        return PASSED
    return failed(
        f"{gates.drained} items were waiting on the queue while {len(gates.crew)} consumers were"
        f" busy; at most {maxsize} may",
        symptom="not bounded",
    )
