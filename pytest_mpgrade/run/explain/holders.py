"""Who holds a lock that others wait for, as far as that can be inferred.

The kernel does not record the holder of a semaphore.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_mpgrade.records import Awaited, Doing, Frame
from pytest_mpgrade.run.explain.doing import own_frame
from pytest_mpgrade.run.explain.stacks import Stacks
from pytest_mpgrade.run.observe import loops
from pytest_mpgrade.system.linux.blocked import Blocked


@dataclass(frozen=True, kw_only=True)
class ThreadWait:
    """What one thread of a process waits for."""

    main: bool
    doing: Doing
    frames: tuple[Frame, ...]  # innermost first


@dataclass(frozen=True, kw_only=True)
class Wait:
    """What one process waits for."""

    pid: int
    doing: Doing
    blocked: Blocked
    frames: tuple[Frame, ...]  # of the thread whose wait decides, innermost first
    awaits: tuple[Awaited, ...] = ()
    whom: tuple[int, ...] = ()
    holder: int = 0
    # what its other threads do, of those in lines of the submission, and the feeders of queues
    others: tuple[ThreadWait, ...] = ()


def with_holders(
    all_waits: Sequence[Wait], caller: int, died: Sequence[int], stacks: Stacks
) -> list[Wait]:
    """Return the waits, with the holder of each lock where it is known.

    *died* are the processes that did not end by themselves.
    """
    return [_behind(one, all_waits, stacks) for one in _abandoned(all_waits, caller, died)]


def _abandoned(all_waits: Sequence[Wait], caller: int, died: Sequence[int]) -> list[Wait]:
    """Return the waits, with a queue's lock that a process has taken along when it died.

    A process that reads from a queue holds the queue's lock. If all readers wait for that lock, one
    of the dead processes has taken it along.
    """
    readers = [one for one in all_waits if one.doing is Doing.GET and one.pid != caller]
    if (
        not died
        or not readers
        or not all(one.blocked.call == "futex" and one.blocked.shared for one in readers)
    ):
        return [*all_waits]
    holder = died[0] if len(died) == 1 else 0
    return [
        (
            dataclasses.replace(one, doing=Doing.LOCK, awaits=(Awaited.LOCK,), holder=holder)
            if one in readers
            else one
        )
        for one in all_waits
    ]


def _behind(wait: Wait, all_waits: Sequence[Wait], stacks: Stacks) -> Wait:
    """Return what a wait for a lock stands for: what the holder of the lock waits for.

    Workers that share a pipe take turns at it: one waits for a task and holds the lock, and the
    others wait for the lock.
    """
    own = own_frame(wait.frames, stacks)
    if wait.doing is not Doing.LOCK or wait.holder or own is None:
        return wait
    for other in all_waits:
        inside = any(loops.holds(own, frame) for frame in other.frames if stacks.owns(frame))
        if inside and other.doing is not Doing.LOCK:
            return dataclasses.replace(wait, awaits=other.awaits, holder=other.pid)
    return wait
