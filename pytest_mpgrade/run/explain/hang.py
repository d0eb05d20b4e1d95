"""An explanation of a tree that hangs: what each process waits for, in words, and at which line."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pytest_mpgrade.records import Awaited, Doing, Frame, Role, Stuck, StuckThread
from pytest_mpgrade.run.explain.doing import own_frame, source_of
from pytest_mpgrade.run.explain.holders import ThreadWait, Wait
from pytest_mpgrade.run.explain.stacks import Stacks
from pytest_mpgrade.run.explain.waits import waits
from pytest_mpgrade.run.observe.watch import Watch

LONG_SECONDS = 10.0
"""A sleep that has so many seconds left is not one round of a polling loop."""

_WORDS = {
    Doing.GET: "waits for something to arrive in a queue",
    Doing.PUT: "waits for room in a queue",
    Doing.WRITE: "cannot finish writing: the pipe is full and nobody reads",
    Doing.TASK_DONE: "waits in a queue's join() for task_done()",
    Doing.JOIN: "waits for {whom} to end",
    Doing.POOL_JOIN: "waits for the workers of its pool to end",
    Doing.POOL_RESULT: "waits for a result of its pool",
    Doing.RECEIVE: "waits for a message on a connection",
    Doing.WAIT: "waits for a message on a connection",
    Doing.LOCK: "waits for a lock that nobody releases",
    Doing.BARRIER: "waits at a barrier for others that never come",
    Doing.EVENT: "waits for an event that nobody sets",
    Doing.CONDITION: "waits to be notified",
    Doing.THREAD: "waits for a thread of its own to end",
    Doing.SERVE: "serves what the others share",
    Doing.GATE: "is in one of the grader's tasks",
    Doing.STOPPED: "was stopped by a signal",
    Doing.BUSY: "is busy",
    Doing.SLEEP: "sleeps again and again",
    Doing.OTHER: "waits",
}
_ASKS = {"pdb.py": "a debugger", "debugger.py": "a debugger", "getpass.py": "getpass()"}
"""What asks a person for input, by the module of its frame; for any other module it is input()."""


def explain_hang(watch: Watch, stacks: Stacks) -> tuple[Stuck, ...]:
    """Say of every process of a tree that hangs what it waits for."""
    all_waits = waits(watch, stacks)
    bare = [_bare(wait, watch.caller) for wait in all_waits]
    workers = itertools.count(1)  # in the order of their process ids
    known = [replace(one, number=next(workers)) if one.role is Role.WORKER else one for one in bare]
    names = {one.pid: one.name for one in known}
    return tuple(
        _told(one, wait, names, stacks) for one, wait in zip(known, all_waits, strict=True)
    )


def _bare(wait: Wait, caller: int) -> Stuck:
    """Return what is known of a process, without the words."""
    role = (
        Role.PARENT
        if wait.pid == caller
        else Role.MANAGER
        if wait.doing is Doing.SERVE
        else Role.WORKER
    )
    return Stuck(
        pid=wait.pid,
        role=role,
        doing=wait.doing,
        sentence="",
        awaits=wait.awaits,
        whom=wait.whom,
        holder=wait.holder,
    )


def _told(one: Stuck, wait: Wait, names: Mapping[int, str], stacks: Stacks) -> Stuck:
    own, parent = own_frame(wait.frames, stacks), one.role is Role.PARENT
    named = {pid: f"{name} (pid {pid})" for pid, name in names.items()}
    code = source_of(own) if own else ""
    where = f", at {os.path.basename(own.file)}:{own.line}: {code}" if own else ""
    return replace(
        one,
        sentence=f"{named[wait.pid]} {_words(wait, parent=parent, names=named)}{where}",
        words=_words(wait, parent=parent, names=names),
        frames=_reduced(wait.frames, stacks),
        code=code,
        threads=tuple(_thread(each, stacks) for each in wait.others),
    )


def _thread(wait: ThreadWait, stacks: Stacks) -> StuckThread:
    own = own_frame(wait.frames, stacks)
    name = "the main thread" if wait.main else "another thread"
    return StuckThread(
        name=name if own else "the feeder thread of a queue",
        words=_WORDS.get(wait.doing, _WORDS[Doing.OTHER]).format(whom="a process"),
        frame=replace(own, own=True) if own else None,
        code=source_of(own) if own else "",
    )


def _words(wait: Wait, *, parent: bool, names: Mapping[int, str]) -> str:
    if wait.doing is Doing.LOCK and wait.holder:
        return _of_lock(wait, names)
    if wait.doing is Doing.SLEEP and (wait.blocked.seconds or 0) > LONG_SECONDS:
        return f"sleeps, and would for another {_span(wait.blocked.seconds or 0)}"
    if wait.doing is Doing.INPUT:
        asks = [
            _ASKS[name] for frame in wait.frames if (name := os.path.basename(frame.file)) in _ASKS
        ]
        return f"waits for input from a person: {asks[0] if asks else 'input()'}"
    if parent and {*wait.awaits} == {Awaited.EXIT, Awaited.MESSAGE}:
        return "waits for a result, or for the end of a worker"
    if wait.doing is Doing.GET:
        return (
            "waits for a result that never comes"
            if parent
            else "waits for a task or 'STOP' that never comes"
        )
    return _WORDS[wait.doing].format(whom=_whom(wait, "a worker" if parent else "a process", names))


def _of_lock(wait: Wait, names: Mapping[int, str]) -> str:
    if wait.holder == wait.pid:
        return f"{_WORDS[Doing.LOCK]}: it has taken it itself"
    if wait.holder in names:
        return f"waits for a lock that {names[wait.holder]} has"
    return f"{_WORDS[Doing.LOCK]}: a process that has ended had taken it"


def _whom(wait: Wait, anybody: str, names: Mapping[int, str]) -> str:
    known = [names[pid] for pid in wait.whom if pid in names]
    return known[0] if len(known) == 1 else anybody


def _span(seconds: float) -> str:
    for unit, size in (("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _reduced(frames: Sequence[Frame], stacks: Stacks) -> tuple[Frame, ...]:
    """Keep the student's frames, and the library frame that each of them has called."""
    kept: list[Frame] = []
    for inner, frame in zip([None, *frames], frames, strict=False):
        if stacks.owns(frame):
            if inner is not None and not stacks.owns(inner):
                kept.append(inner)
            kept.append(Frame(file=frame.file, line=frame.line, function=frame.function, own=True))
    return tuple(kept[:12])
