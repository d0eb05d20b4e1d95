"""Which concern explains a call that never came back, and in what words."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from typing import Any

from pytest_mpgrade.judge import tracebacks
from pytest_mpgrade.judge.symptoms import NO_ROOM, NOT_TOLD
from pytest_mpgrade.judge.tracebacks import Thrown, by_call
from pytest_mpgrade.judge.verdict import Verdict, failed
from pytest_mpgrade.records import (
    Awaited,
    Concern,
    Doing,
    Ending,
    ProcessSeen,
    Role,
    Run,
    Stuck,
)
from pytest_mpgrade.system.text import exit_words, signal_name

MAKE_ROOM = (
    "put() waits while a queue with maxsize, or a pipe, is full: start the workers first, and take"
    " results out"
)
LEFT_EARLY = (
    "let each worker end by a sentinel, not when the queue is empty: it may be empty before a task"
    " has arrived"
)
"""A hint for workers that end by themselves too early."""
MANY = 100
"""Of more tasks only some tell that they are begun."""
TELL_THEM = "put one 'STOP' per worker on the task queue before you join() them"
"""A hint for such a parent."""
_NO_WRITER = frozenset((Awaited.LOCK, Awaited.ROOM))


def explained_by(run: Run) -> Concern:
    """Return the concern that a hang belongs to by what each process was waiting for;
    docs/contract.md, hangs.

    Somebody waits for a lock, or for room in a pipe that nobody empties: deadlock. No worker is
    left, or a person is asked: results. The parent waits for nothing but exits while a worker
    waits: sentinel. Workers wait for an event that nobody sets: deadlock. Else: results.
    """
    parent, workers = _parent(run), _workers(run)
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


def _parent(run: Run) -> Stuck | None:
    return next((one for one in run.trace.stuck if one.role is Role.PARENT), None)


def _workers(run: Run) -> list[Stuck]:
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
    parent = _parent(run)
    mine = children_of(run)
    waits = parent is not None and not {Awaited.MESSAGE, Awaited.ROOM}.isdisjoint(parent.awaits)
    return (
        waits and bool(mine) and not _workers(run) and all(each.later != "alive" for each in mine)
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


def not_back(run: Run) -> Verdict:
    """Return the failure of a call that hung, was not back at its time limit, or ended its own
    process.
    """
    if run.stopped:
        return failed(f"{run.call} was ended: {run.stopped}", symptom="stopped", **_said(run))
    if run.ending is Ending.DIED:
        return failed(
            f"the calling process ended before {run.call} had returned"
            f" ({ending_words(run.exitcode)})",
            symptom="died",
            **_said(run),
        )
    if run.ending is Ending.TIMED_OUT:
        seen = f": {hang_summary(run)}" if run.trace.stuck else ""
        return failed(
            f"{run.call} had not come back when the time limit came after {run.seconds:.0f}"
            f" s{seen}",
            symptom="hang",
            **waiting_evidence(run),
        )
    parent = _parent(run)
    words = f"{run.call} never came back: {hang_summary(run)}"
    if parent is not None and parent.doing in (Doing.PUT, Doing.WRITE) and not nobody_left(run):
        return failed(words, symptom=NO_ROOM, hint=MAKE_ROOM, **waiting_evidence(run))
    return failed(
        words, symptom=NOT_TOLD if workers_not_told(run) else "hang", **waiting_evidence(run)
    )


def hang_summary(run: Run) -> str:
    """Say in one sentence who has died, and what the parent and one worker wait for."""
    parent = _parent(run)
    named = [
        _brief(one) for one in (*_most_telling(_workers(run))[:1], *([parent] if parent else []))
    ]
    if parent is not None and parent.awaits != (Awaited.EXIT,):
        named = [*_gone(run), *named]
    return "; ".join(named) or "nothing was left running that could have ended it"


def _most_telling(workers: list[Stuck]) -> list[Stuck]:
    return sorted(
        workers,
        key=lambda one: (_NO_WRITER.isdisjoint(one.awaits), one.doing is Doing.OTHER, one.name),
    )


def _brief(one: Stuck) -> str:
    return f"{one.name} {one.words or 'waits'}"


def _gone(run: Run) -> list[str]:
    """Say which workers have died, whether none is left, and how many tasks none has begun while
    they were free.
    """
    alike: dict[tuple[int, bool], list[ProcessSeen]] = {}
    for process in ended_badly(run):
        alike.setdefault((process.exitcode or 0, _at_task(process, run)), []).append(process)
    died = [_ends_of(same, run) for same in list(alike.values())[:2]]
    said = [" and ".join(died)] if died else []
    if not nobody_left(run):
        idle = all(one.awaits == (Awaited.MESSAGE,) for one in _workers(run))
        return [*said, never_begun(run)] if idle and _workers(run) and unbegun(run) else said
    return [
        *said,
        f"no worker is left: {never_begun(run)}" if unbegun(run) else "no worker is left",
    ]


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


def _ends_of(processes: Sequence[ProcessSeen], run: Run) -> str:
    """Say how several workers ended that ended alike, and by which exceptions."""
    words = "; ".join(f"{each.words}{_asked(each)}" for each in _raised_by(processes[0], run))
    many = len(processes) > 1
    who = f"{len(processes)} workers" if many else "a worker"
    return f"{who} {_how(processes[0], run, were='were' if many else 'was')}" + (
        f" ({words})" if words else ""
    )


def _died(process: ProcessSeen, run: Run) -> str:
    thrown = _raised_by(process, run)
    why = f" ({thrown[0].words}{_asked(thrown[0])}){thrown[0].where}" if len(thrown) == 1 else ""
    return f"a worker (pid {process.pid}) {_how(process, run)}{why}"


def _how(process: ProcessSeen, run: Run, *, were: str = "was") -> str:
    code = process.exitcode or 0
    how = f"ended with exit status {code}" if code > 0 else f"{were} killed by {signal_name(-code)}"
    return f"{how} in its task" if _at_task(process, run) else how


def _at_task(process: ProcessSeen, run: Run) -> bool:
    return any(
        event.kind in ("doom", "lost") and event.pid == process.pid for event in run.trace.events
    )


def _raised_by(process: ProcessSeen, run: Run) -> Sequence[Thrown]:
    """Return what has ended a worker: where workers have raised several exceptions, one of
    these.
    """
    return tracebacks.last_words(run)[:3] if process.exitcode == 1 else ()


def _asked(thrown: Thrown) -> str:
    """Say of an exception that somebody was to answer a question."""
    asks = {"EOFError: EOF when reading a line": "input()", "BdbQuit": "a debugger"}
    return (
        f"; {asks[thrown.words]} asks a person, and nobody is there" if thrown.words in asks else ""
    )


def waiting_evidence(run: Run) -> dict[str, Any]:
    """Return the evidence of a hang: a sentence for each process, and its stack in the student's
    file.
    """
    died = [_died(process, run) for process in ended_badly(run)[:4]]
    evidence: dict[str, Any] = {"lines": [*died, *(one.sentence for one in run.trace.stuck[:8])]}
    evidence["stacks"] = [
        {
            "pid": one.pid,
            "frames": [f"{f.file.rpartition('/')[2]}:{f.line} {f.function}" for f in one.frames],
        }
        for one in run.trace.stuck
        if one.frames
    ]
    if run.why:
        evidence["found by"] = run.why
    told = died and len(tracebacks.last_words(run)) == 1
    return evidence if told else evidence | _said(run)


def _said(run: Run) -> dict[str, Any]:
    """What was written to standard error: the exception that ended workers, with their line, else
    the last lines.
    """
    thrown = tracebacks.last_words(run)[:3]
    if thrown:
        return {"stderr": [f"{each.words}{each.where}" for each in thrown]}
    lines = tracebacks.said(run.stderr, 6)
    return {"stderr": lines} if lines else {}


def raised(run: Run, what: str = "") -> Verdict:
    """Return the failure of a call that raised where it should not."""
    error = by_call(run)
    if error is None:
        return failed(f"{run.call} raised an exception that cannot be shown", symptom="raised")
    what += _asked(error)
    if workers_left_early(run):
        what += f"; {never_begun(run)}, and every worker had ended by itself"
    thrown = tracebacks.last_words(run)
    # A worker whose parent has raised finds nothing there, and says so from a line of Python's.
    others = _said(run) if not thrown or any(each.own for each in thrown) else {}
    return failed(
        f"{run.call} raised {error.words}{what}",
        symptom=f"raised {error.type}",
        **error.source,
        **others,
    )
