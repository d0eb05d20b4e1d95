"""Checks of what is left other than processes: threads, pipes, semaphores, shared memory."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from pytest_mpgrade.judge.check import PASSED, Verdict, failed, not_here, undecided
from pytest_mpgrade.judge.checks.shutdown import (
    idle_ones,
    listed,
    not_told_to_stop,
    others_of,
    unjoined,
    unjudged,
    workers_of,
)
from pytest_mpgrade.judge.definition import check
from pytest_mpgrade.judge.symptoms import HELPER, RESIDUE, UNJOINED
from pytest_mpgrade.records import Concern, Ending, Run

_OF_HELPERS = frozenset(("thread", "semaphore"))
"""Kinds of leftovers that a library may keep for itself."""


@check(title="no thread, pipe, semaphore or shared memory is left", concern=Concern.CLEANUP)
def nothing_else_left(run: Run, *, idle: bool = False, row: Run | None = None) -> Verdict:
    """After the return, garbage collected: no thread, pipe, semaphore or shared memory of the call
    is left.

    *row*: the last of many calls in one process, for what a library makes once for all of them.

    The check needs a run in which every worker had arrived at a gate, as in one of
    `tasks.rendezvous(n)`; with *idle*, a run without tasks. It fails when something is left. It
    passes with a note when that is a library's, and no more after many calls. It is absent when no
    child process ran a task. It is skipped when the platform does not show what is left, or the
    workers had gone before they could be seen.

    It blames `ended_by_sentinel` when workers are still alive, `no_leftovers` when a process that
    was not joined keeps its pipes, and `values_in_any_order` when the call returned while tasks
    were held. A call that did not come back is left to the check that it belongs to.
    """
    wrong = unjudged(run, Concern.CLEANUP, idle=idle)
    return (
        wrong
        or (_unjoined(run) if idle else None)
        or _residue(run, f"{run.call} had returned", once=run, row=row)
    )


def _unjoined(run: Run) -> Verdict | None:
    """Return that `no_leftovers` fails for pipes of processes that were not joined; else None.

    This is for a call without tasks. A process that was not joined keeps its pipes.
    """
    verdict = idle_ones(run)
    if verdict is PASSED or {item.kind for item in run.trace.leftovers} != {"pipe"}:
        return None
    if verdict.undecided_by:
        return verdict
    return undecided(
        "a Process that was not joined keeps its pipes", "no_leftovers", verdict, explained=UNJOINED
    )


def _residue(run: Run, when: str, *, once: Run | None, row: Run | None) -> Verdict:
    stuck = [process for process in workers_of(run) if process.later == "alive"]
    if stuck:
        return not_told_to_stop(run, stuck)
    never_joined = [worker for worker in workers_of(run) if worker.at_return != "gone"]
    if never_joined and {item.kind for item in run.trace.leftovers} == {"pipe"}:
        seen = "a Process that was not joined keeps its pipes"
        return undecided(seen, "no_leftovers", unjoined(run, never_joined), explained=UNJOINED)
    return residue(run, when, once=once, row=row)


_REMEDIES = {
    "thread": "join() every thread that you start",
    "pipe": (
        "join() every Process, and close() every connection and queue: keep none of them beyond the"
        " call"
    ),
    "semaphore": (
        "let go of every lock, queue and event that you make: keep none where it outlives the call"
    ),
    "shared memory": "close() and unlink() every SharedMemory",
}
"""What to do about each kind of leftover."""


def residue(run: Run, when: str, *, once: Run | None = None, row: Run | None = None) -> Verdict:
    """Judge what is left after *run* other than processes.

    *once* is a single call in a process of its own. *row* is the last of many calls in one process.
    """
    if not run.trace.observer.startswith(("ptrace", "proc")):
        return not_here(
            f"threads, pipes and semaphores cannot be seen here (observer: {run.trace.observer})"
        )
    leftovers = run.trace.leftovers
    if not leftovers:
        return PASSED
    counted = ", ".join(f"{count} x {kind}" for kind, count in sorted(_counts(run).items()))
    if once is not None and row is not None and _is_helper(once, row):
        return replace(
            PASSED, message=f"{counted} of a library, once for all calls, which costs nothing"
        )
    verdict = failed(
        f"left behind when {when} and garbage was collected: {counted}",
        symptom=RESIDUE,
        hint="; ".join(
            hint for kind, hint in _REMEDIES.items() if any(item.kind == kind for item in leftovers)
        ),
        left=[f"{item.kind} {item.name}" for item in leftovers[:8]],
    )
    if once is not None and run is row and _counts(row) <= _counts(once):
        return undecided(
            "what is left is left by one call too, and is no more after many",
            "nothing_else_left",
            verdict,
        )
    return verdict


def _counts(run: Run) -> Counter[str]:
    return Counter(item.kind for item in run.trace.leftovers)


def _is_helper(once: Run, row: Run) -> bool:
    """Tell whether only a library left something for itself: a helper thread, and its lock.

    The monitor of a progress bar is an example. Such leftovers are no more after many calls than
    after one, and no line of the submission is on the stack of their threads.
    """
    leftovers = (*once.trace.leftovers, *row.trace.leftovers)
    if row.ending is not Ending.RETURNED or any(
        item.own or item.kind not in _OF_HELPERS for item in leftovers
    ):
        return False
    return _counts(row) <= _counts(once)


@check(title="nothing accumulates over {times} calls", concern=Concern.CLEANUP)
def nothing_accumulates(run: Run, times: int, once: Run | None = None) -> Verdict:
    """After *times* calls in a row nothing has piled up: no processes, pipes, threads or
    semaphores.

    *once*: a call in a process of its own, for what a library makes once for all of them.

    The check needs the last of *times* calls that `student.play` made in one process. It fails when
    processes that ran no task are still alive, when as many zombies as calls are there, and when
    something else is left. It passes with a note when that is a library's. It is absent when no
    child process ran a task. It is skipped when the platform does not show what is left, or the
    workers had gone before they could be seen.

    It blames `ended_by_sentinel` when workers are still alive, `no_leftovers` when a process that
    was not joined keeps its pipes, `nothing_else_left` when one call leaves as much, and
    `values_in_any_order` when the call returned while tasks were held. A call that did not come
    back is left to the check that it belongs to.
    """
    verdict = unjudged(run, Concern.CLEANUP)
    if verdict is not None:
        return verdict
    alive = [process for process in others_of(run) if process.later == "alive"]
    stuck = [worker for worker in workers_of(run) if worker.later == "alive"]
    if stuck:
        return not_told_to_stop(run, stuck)
    if alive:
        return failed(
            f"{len(alive)} process{'es' * (len(alive) > 1)} without a task outlived {times} calls",
            symptom=HELPER,
            hint="shut down in every call what that call has started: a manager or a pool, say",
            **listed(alive, lambda _: "alive"),
        )
    zombies = [process for process in run.trace.processes if process.later == "zombie"]
    if len(zombies) >= times:
        return failed(
            f"{len(zombies)} zombies had piled up after {times} calls",
            symptom=UNJOINED,
            hint="join() every Process that you start()",
            **listed(zombies[:8], lambda _: "zombie"),
        )
    return _residue(run, f"{times} calls of {run.function} had returned", once=once, row=run)
