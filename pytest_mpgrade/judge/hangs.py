"""Which concern explains a call that never came back, and in what words."""

from __future__ import annotations

import signal

from pytest_mpgrade.records import Awaited, Concern, Doing, Ending, ProcessSeen, Role, Run, Stuck
from pytest_mpgrade.system.text import exit_words

LEFT_EARLY = (
    "let each worker end by a sentinel, not when the queue is empty: it may be empty before a task"
    " has arrived"
)
"""A hint for workers that end by themselves too early."""
MANY = 100
"""Of more tasks only some tell that they are begun."""
TELL_THEM = "put one 'STOP' per worker on the task queue before you join() them"
"""A hint for such a parent."""


def explained_by(run: Run) -> Concern:
    """Return the concern that a hang belongs to by what each process was waiting for;
    docs/contract.md, hangs.

    Somebody waits for a lock, or for room in a pipe that nobody empties: deadlock. No worker is
    left, or a person is asked: results. The parent waits for nothing but exits while a worker
    waits: sentinel. Workers wait for an event that nobody sets: deadlock. Else: results.
    """
    parent, workers = parent_of(run), waiting_workers(run)
    awaited = {each for one in run.trace.stuck for each in one.awaits}
    if Awaited.LOCK in awaited:
        return Concern.DEADLOCK
    if nobody_left(run) or Awaited.PERSON in awaited:
        return Concern.RESULTS
    if Awaited.ROOM in awaited:
        return Concern.DEADLOCK
    if parent is not None and parent.awaits == (Awaited.EXIT,) and workers:
        return Concern.SENTINEL
    of_workers = {each for one in workers for each in one.awaits}
    of_parent = parent.awaits if parent is not None else ()
    if Awaited.NOTICE in of_workers or (
        Awaited.NOTICE in of_parent and Awaited.MESSAGE not in of_workers
    ):
        return Concern.DEADLOCK
    return Concern.RESULTS


def parent_of(run: Run) -> Stuck | None:
    """Return what the calling process waits for in a call that hangs; None if nobody saw it."""
    return next((one for one in run.trace.stuck if one.role is Role.PARENT), None)


def waiting_workers(run: Run) -> list[Stuck]:
    """Return the workers of a call that hangs, with what each waits for."""
    return [one for one in run.trace.stuck if one.role is Role.WORKER]


def children_of(run: Run) -> list[ProcessSeen]:
    """Return the processes that a call started, else those that earlier calls of its play did; no
    helpers.
    """
    managers = {one.pid for one in run.trace.stuck if one.role is Role.MANAGER}
    found = [each for each in run.trace.processes if not each.helper and each.pid not in managers]
    return [each for each in found if each.first >= 0] or found


def nobody_left(run: Run) -> bool:
    """Tell whether the parent of a call that hangs waits for workers to give or take something, and
    none is left.
    """
    parent = parent_of(run)
    mine = children_of(run)
    waits = parent is not None and not {Awaited.MESSAGE, Awaited.ROOM}.isdisjoint(parent.awaits)
    return (
        waits
        and bool(mine)
        and not waiting_workers(run)
        and all(each.later != "alive" for each in mine)
    )


def workers_left_early(run: Run) -> bool:
    """Tell whether workers ended by themselves although tasks were there: found a queue empty too
    early, say.

    Whether a worker comes too early is a race. The parent waits for what these never did, or has
    noticed and raised.
    """
    mine = [each for each in children_of(run) if each.first >= 0]
    noticed = (
        run.ending is Ending.RAISED and run.error is not None and run.error.line.startswith("raise")
    )
    ended = bool(mine) and all(each.exitcode == 0 for each in mine)
    return (
        ended and unbegun(run) > 0 and (noticed or (run.ending is Ending.HUNG and nobody_left(run)))
    )


_CRASHES = frozenset(
    -int(each)
    for name in ("SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT")
    for each in [getattr(signal, name, 0)]
    if each
)
"""Exit codes of a process in which an interpreter or a library has crashed."""


def crashed(run: Run) -> bool:
    """Tell whether a process of a call has crashed: Python code alone cannot do that, and it may
    not happen again.
    """
    codes = {
        run.exitcode,
        *(process.exitcode for process in run.trace.processes if not process.helper),
    }
    return not _CRASHES.isdisjoint(codes)


def ending_words(code: int | None, unknown: str = "how is not known") -> str:
    """Return how a process has ended: ``exit status 3``, ``killed by SIGSEGV``; *unknown* where
    nobody saw it end.
    """
    return exit_words(code, noun="exit status", unknown=unknown)


def ended_them(run: Run) -> bool:
    """Tell whether workers that are waited for were ended by a signal, as leaving the block of a
    Pool does.
    """
    terminated = any(each.exitcode == -signal.SIGTERM for each in ended_badly(run))
    return run.ending is Ending.HUNG and nobody_left(run) and terminated


def by_luck(run: Run) -> bool:
    """Tell whether the same call may come back when it is made again: who gets what, and when, is a
    race.
    """
    return workers_not_told(run) or workers_left_early(run)


def workers_not_told(run: Run) -> bool:
    """Tell whether a call hung because it waited for the end of workers that nobody has told to
    stop.
    """
    return run.ending is Ending.HUNG and explained_by(run) is Concern.SENTINEL


def in_its_pool(run: Run) -> bool:
    """Tell whether a call hung within a Pool or an executor that was about to end its workers.

    That may be a race of CPython's own: a worker that is killed while it holds the pool's lock, or
    started while the executor that has broken ends the others (python/cpython#94777, #105829,
    #107219).
    """
    return run.ending is Ending.HUNG and any(
        one.role is Role.PARENT and one.doing is Doing.POOL_JOIN for one in run.trace.stuck
    )


def ended_badly(run: Run) -> list[ProcessSeen]:
    """Return the workers that are known to have ended, and not as a worker should: with an exit
    status other than 0.
    """
    return [each for each in children_of(run) if each.exitcode]


def unbegun(run: Run) -> int:
    """Return how many of the tasks that were handed to a call no process has begun; 0 where that is
    not known.
    """
    begun = {event.key for event in run.trace.events if event.kind in ("note", "gate", "doom")}
    return max(run.trace.tasks - len(begun), 0)


def never_begun(run: Run) -> str:
    """Say how many of the tasks no process has begun."""
    never = unbegun(run)
    if run.trace.tasks > MANY:
        return f"{100 * never / run.trace.tasks:.0f} % of the tasks were never begun"
    return f"{never} of {run.trace.tasks} tasks {'was' if never == 1 else 'were'} never begun"
