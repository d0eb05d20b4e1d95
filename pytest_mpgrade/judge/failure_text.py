"""The failure of a call that raised or did not come back, in words and with its evidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pytest_mpgrade.judge import tracebacks
from pytest_mpgrade.judge.asked_person import asked_by
from pytest_mpgrade.judge.hang_facts import (
    ended_badly,
    ending_words,
    never_begun,
    nobody_left,
    parent_of,
    unbegun,
    waiting_workers,
    workers_left_early,
    workers_not_told,
)
from pytest_mpgrade.judge.symptoms import NO_ROOM, NOT_TOLD, RESIDUE
from pytest_mpgrade.judge.tracebacks import Thrown, by_call
from pytest_mpgrade.judge.verdict import Verdict, failed
from pytest_mpgrade.records import Awaited, Doing, Ending, Phase, ProcessSeen, Run, Stuck
from pytest_mpgrade.system.text import signal_name

MAKE_ROOM = (
    "put() waits while a queue with maxsize, or a pipe, is full: start the workers first, and take"
    " results out"
)
"""A hint for a parent that waits for room in a queue or pipe."""
_NO_WRITER = frozenset((Awaited.LOCK, Awaited.ROOM))
"""Waits that tell most about a hang: for a lock, and for room in a pipe."""


def not_back(run: Run) -> Verdict:
    """Return the failure of a call that did not come back and did not raise.

    It hung, reached its time limit, was stopped by another limit, or ended its own process.
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
    if run.phase is Phase.AFTER_RETURN:
        return _stuck_after(run)
    if run.ending is Ending.TIMED_OUT:
        seen = f": {hang_summary(run)}" if run.trace.stuck else ""
        return failed(
            f"{run.call} had not come back when the time limit came after {run.seconds:.0f}"
            f" s{seen}",
            symptom="hang",
            **waiting_evidence(run),
        )
    parent = parent_of(run)
    words = f"{run.call} never came back: {hang_summary(run)}"
    if parent is not None and parent.doing in (Doing.PUT, Doing.WRITE) and not nobody_left(run):
        return failed(words, symptom=NO_ROOM, hint=MAKE_ROOM, **waiting_evidence(run))
    return failed(
        words, symptom=NOT_TOLD if workers_not_told(run) else "hang", **waiting_evidence(run)
    )


def _stuck_after(run: Run) -> Verdict:
    """Return the failure of a call that had returned, and whose process then came no further."""
    said = f"{run.call} had returned, but its process came no further"
    if run.trace.crowd:
        return failed(
            f"{said}: {run.trace.crowd} x thread that the call had left took turns with it",
            symptom=RESIDUE,
            hint="join() every thread that you start",
            **waiting_evidence(run),
        )
    return failed(f"{said}: {hang_summary(run)}", symptom="hang", **waiting_evidence(run))


def hang_summary(run: Run) -> str:
    """Say in one sentence who has died, and what one worker and the parent wait for."""
    parent = parent_of(run)
    named = [
        _brief(one)
        for one in (*_most_telling(waiting_workers(run))[:1], *([parent] if parent else []))
    ]
    if parent is not None and parent.awaits != (Awaited.EXIT,):
        named = [*_gone(run), *named]
    return "; ".join(named) or "nothing was left running that could have ended it"


def _most_telling(workers: list[Stuck]) -> list[Stuck]:
    """Return the workers, those first that tell most about a hang.

    A worker that waits for a lock or for room tells most. One at an unknown place tells least.
    """
    return sorted(
        workers,
        key=lambda one: (_NO_WRITER.isdisjoint(one.awaits), one.doing is Doing.OTHER, one.name),
    )


def _brief(one: Stuck) -> str:
    return f"{one.name} {one.words or 'waits'}"


def _gone(run: Run) -> list[str]:
    """Say which workers have died, whether none is left, and how many tasks were never begun.

    Tasks that were never begun count only where all workers that are left wait for a message.
    """
    alike: dict[tuple[int, bool], list[ProcessSeen]] = {}
    for process in ended_badly(run):
        alike.setdefault((process.exitcode or 0, _at_task(process, run)), []).append(process)
    died = [_ends_of(same, run) for same in list(alike.values())[:2]]
    said = [" and ".join(died)] if died else []
    if not nobody_left(run):
        idle = all(one.awaits == (Awaited.MESSAGE,) for one in waiting_workers(run))
        return [*said, never_begun(run)] if idle and waiting_workers(run) and unbegun(run) else said
    return [
        *said,
        f"no worker is left: {never_begun(run)}" if unbegun(run) else "no worker is left",
    ]


def _ends_of(processes: Sequence[ProcessSeen], run: Run) -> str:
    """Say how several workers ended that ended in the same way, and by which exceptions."""
    words = "; ".join(f"{each.words}{_asked(each, run)}" for each in _raised_by(processes[0], run))
    many = len(processes) > 1
    who = f"{len(processes)} workers" if many else "a worker"
    return f"{who} {_how(processes[0], run, were='were' if many else 'was')}" + (
        f" ({words})" if words else ""
    )


def _died(process: ProcessSeen, run: Run) -> str:
    thrown = _raised_by(process, run)
    why = (
        f" ({thrown[0].words}{_asked(thrown[0], run)}){thrown[0].where}" if len(thrown) == 1 else ""
    )
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
    """Return the exceptions that may have ended a worker.

    Standard error does not say which worker wrote what. With several exceptions, one of them ended
    it.
    """
    return tracebacks.last_words(run)[:3] if process.exitcode == 1 else ()


def _asked(thrown: Thrown, run: Run) -> str:
    """Add to an exception, where it fits, that it comes from a question to a person."""
    asked = asked_by(thrown, run)
    return f"; {asked.words}" if asked else ""


def waiting_evidence(run: Run) -> dict[str, Any]:
    """Return the evidence of a hang: for each process a sentence and its stack."""
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
    # Who waits for a worker that waits for a lock is not where the fault is.
    locked = [one for one in waiting_workers(run) if one.doing is Doing.LOCK]
    evidence |= next(filter(None, map(_own_line, [*locked, *run.trace.stuck])), {})
    if run.why:
        evidence["found by"] = run.why
    explained = died and len(tracebacks.last_words(run)) == 1
    return evidence if explained else evidence | _said(run)


def _own_line(one: Stuck) -> dict[str, Any]:
    """Return as evidence the submission's line at which a process waits, where it is known."""
    own = next((frame for frame in one.frames if frame.own), None)
    if own is None:
        return {}
    return {"source": {"file": own.file.rpartition("/")[2], "line": own.line, "code": one.code}}


def _said(run: Run) -> dict[str, Any]:
    """Return as evidence what was written to standard error.

    These are the exceptions that ended workers, with the line that raised them. Where there are
    none, these are the last lines.
    """
    thrown = tracebacks.last_words(run)[:3]
    if thrown:
        return {"stderr": [f"{each.words}{each.where}" for each in thrown]}
    lines = tracebacks.said(run.stderr, 6)
    return {"stderr": lines} if lines else {}


def raised(run: Run, what: str = "") -> Verdict:
    """Return the failure of a call that raised although it should not.

    *what* is added to the message, after the exception.
    """
    error = by_call(run)
    if error is None:
        return failed(f"{run.call} raised an exception that cannot be shown", symptom="raised")
    what += _asked(error, run)
    if workers_left_early(run):
        what += f"; {never_begun(run)}, and every worker had ended by itself"
    thrown = tracebacks.last_words(run)
    # When the parent raises, its workers lose their queues and write tracebacks of Python's own
    # lines: these say nothing about the cause.
    others = _said(run) if not thrown or any(each.own for each in thrown) else {}
    return failed(
        f"{run.call} raised {error.words}{what}",
        symptom=f"raised {error.type}",
        **error.source,
        **others,
    )
