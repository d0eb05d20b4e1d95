"""Facts about a call that hung: which concern it belongs to, and how its processes ended."""

from __future__ import annotations

import signal

from pytest_mpgrade.records import Awaited, Concern, Doing, Ending, ProcessSeen, Role, Run, Stuck
from pytest_mpgrade.system.text import exit_words

LEFT_EARLY = (
    "let each worker end by a sentinel, not when the queue is empty: it may be empty before a task"
    " has arrived"
)
"""A hint for workers that end by themselves although there are tasks to do."""
MANY = 100
"""In a call with more tasks than this, only some of the tasks report that they have begun."""
TELL_THEM = "put one 'STOP' per worker on the task queue before you join() them"
"""A hint for a parent that joins workers without having sent them a sentinel."""


def explained_by(run: Run) -> Concern:
    """Return the concern that a hang belongs to; docs/contract.md, hangs.

    What each process was waiting for decides, by the first rule that fits. A process waits for a
    lock: deadlock. The parent waits for workers of which none is left, or a process asks a person:
    results. A process waits for room in a pipe that nobody empties: deadlock. The parent waits for
    nothing but the ends of workers while a worker is there: sentinel. A worker waits for an event
    that nobody sets: deadlock. In all other cases: results.
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
    """Return the child processes that a call started, without helpers and managers.

    A call that started none may use those of earlier calls in the same process; it returns these
    then.
    """
    managers = {one.pid for one in run.trace.stuck if one.role is Role.MANAGER}
    children = [
        each for each in run.trace.processes if not each.helper and each.pid not in managers
    ]
    return [each for each in children if each.first >= 0] or children


def nobody_left(run: Run) -> bool:
    """Tell whether the parent of a call that hangs waits for workers although none is left.

    The parent waits for a message, or for room in a queue. All child processes have ended.
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
    """Tell whether all workers ended by themselves although some tasks were never begun.

    A worker does so that finds the queue empty and takes this for the end. Whether it looks too
    early is a race. The parent then waits for results that nobody computes, or it notices and
    raises.
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
"""Exit codes of a process that ended because its interpreter or a library crashed."""


def crashed(run: Run) -> bool:
    """Tell whether a process of a call crashed.

    Python code alone cannot crash an interpreter, and a crash may not happen again in another run.
    """
    codes = {
        run.exitcode,
        *(process.exitcode for process in run.trace.processes if not process.helper),
    }
    return not _CRASHES.isdisjoint(codes)


def ending_words(code: int | None, unknown: str = "how is not known") -> str:
    """Return how a process ended, as ``exit status 3`` or ``killed by SIGSEGV``.

    *unknown* is returned where nobody observed the end.
    """
    return exit_words(code, noun="exit status", unknown=unknown)


def ended_them(run: Run) -> bool:
    """Tell whether a call hangs because it waits for workers that SIGTERM ended.

    A Pool terminates its workers in this way when its `with` block is left.
    """
    terminated = any(each.exitcode == -signal.SIGTERM for each in ended_badly(run))
    return run.ending is Ending.HUNG and nobody_left(run) and terminated


def by_luck(run: Run) -> bool:
    """Tell whether the same call may come back when it is made again.

    Which worker gets which message, and when, is a race in such a call.
    """
    return workers_not_told(run) or workers_left_early(run)


def workers_not_told(run: Run) -> bool:
    """Tell whether a call hung because its parent waits for workers that got no sentinel."""
    return run.ending is Ending.HUNG and explained_by(run) is Concern.SENTINEL


def in_its_pool(run: Run) -> bool:
    """Tell whether a call hung within a Pool or an executor that was about to end its workers.

    A race in CPython can cause this, without a fault of the submission. A worker may be killed
    while it holds the lock of the pool. A worker may be started while a broken executor ends the
    others (python/cpython#94777, #105829, #107219).
    """
    return run.ending is Ending.HUNG and any(
        one.role is Role.PARENT and one.doing is Doing.POOL_JOIN for one in run.trace.stuck
    )


def ended_badly(run: Run) -> list[ProcessSeen]:
    """Return the workers that are known to have ended with an exit status other than 0."""
    return [each for each in children_of(run) if each.exitcode]


def unbegun(run: Run) -> int:
    """Return how many of the tasks that a call was given no process has begun.

    It is 0 where the number of tasks is not known.
    """
    begun = {event.key for event in run.trace.events if event.kind in ("note", "gate", "doom")}
    return max(run.trace.tasks - len(begun), 0)


def never_begun(run: Run) -> str:
    """Say how many of the tasks no process has begun."""
    never = unbegun(run)
    if run.trace.tasks > MANY:
        return f"{100 * never / run.trace.tasks:.0f} % of the tasks were never begun"
    return f"{never} of {run.trace.tasks} tasks {'was' if never == 1 else 'were'} never begun"
