"""One timing at a time on a machine, and no other run beside it.

All graders of the machine honour these locks. They are flock(2) on two folders that are there on
every machine: nothing is written, and the kernel releases a lock when its holder ends, however that
ends. Ordinary runs share the *room*; a timing has it alone. A timing shuts the *door* first, or a
row of runs would keep it out for ever. Waiting is bounded. Runs that are in the room already are
given some time while any process computes: a run that takes longer mostly hangs and waits for
nothing, which disturbs no timing.
"""

from __future__ import annotations

import contextlib
import math
import os
import tempfile
import time
from collections.abc import Callable, Iterator

from pytest_mpgrade.system import machine
from pytest_mpgrade.system.file_lock import try_lock

DOOR, ROOM = "/tmp", "/var/tmp"  # noqa: S108 - nothing is written there
MOST_SECONDS = 120.0
"""A timing takes some seconds. A run or a timing that has waited for so long goes on without the
lock, and the timing's result says that it was not alone.
"""
ROOM_SECONDS = 15.0
"""Runs that are being made may end in this time; those that hang are no load, and are not waited
for.
"""
CALM_SECONDS, CALM_CORES = 0.5, 0.3
"""No process computes on a machine whose use stays below so many cores for so many seconds.

A part of a core is allowed, because watching runs that hang takes some.
"""
SHOWN_SECONDS = 1.0
"""A timing that waits for longer says so."""
_PERIOD = 0.02
"""Seconds between two attempts: far less than a timing takes."""


@contextlib.contextmanager
def shared(give_up: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """Run beside other runs, but not beside a timing.

    When *give_up* answers true, this run waits for no timing any longer.
    """
    deadline = time.monotonic() + MOST_SECONDS
    with contextlib.ExitStack() as held:
        with contextlib.ExitStack() as door:
            _lock(door, DOOR, deadline, alone=False, give_up=give_up)
        _lock(held, ROOM, deadline, alone=False, give_up=give_up)
        yield


@contextlib.contextmanager
def alone_at_once() -> Iterator[bool]:
    """Run while no other run begins, if none is running now; the value tells whether that is so."""
    with contextlib.ExitStack() as held:
        now = time.monotonic()
        got = all(_lock(held, place, now, alone=True) for place in (DOOR, ROOM))
        if not got:
            held.close()
        yield got


@contextlib.contextmanager
def alone(tell: Callable[[str], None] = lambda _: None) -> Iterator[bool]:
    """Run while no other run of any grader on this machine begins.

    The value is True if no run is left, and if the door was locked in time. *tell* is called with a
    line of text when this timing has to wait for the door.
    """
    deadline = time.monotonic() + MOST_SECONDS

    def waits() -> None:
        tell(
            f"waiting for a timing of another grading on this machine (at most {MOST_SECONDS:g} s)"
        )

    with contextlib.ExitStack() as held:
        got = _lock(held, DOOR, deadline, alone=True, waits=waits)
        end = min(deadline, time.monotonic() + ROOM_SECONDS)
        got = _lock(held, ROOM, end, alone=True, give_up=nobody_computes()) and got
        yield got


def nobody_computes() -> Callable[[], bool]:
    """Return a function that is polled, and that tells whether the machine's cores are idle.

    It answers for the last `CALM_SECONDS` or longer, since it last measured.
    """
    since, used = time.monotonic(), machine.used()

    def tell() -> bool:
        nonlocal since, used
        passed = time.monotonic() - since
        if passed < CALM_SECONDS:
            return False
        before, since, used = used, time.monotonic(), machine.used()
        return used - before < CALM_CORES * passed

    return tell


def _lock(
    held: contextlib.ExitStack,
    place: str,
    deadline: float,
    *,
    alone: bool,
    waits: Callable[[], None] = lambda: None,
    give_up: Callable[[], bool] = lambda: False,
) -> bool:
    """Hold a lock until *held* ends; False where it was not free in time."""
    try:
        file = os.open(place if os.path.isdir(place) else tempfile.gettempdir(), os.O_RDONLY)
    except OSError:
        return False
    held.callback(os.close, file)
    shown = time.monotonic() + SHOWN_SECONDS
    try:
        while not try_lock(file, shared=not alone):
            now = time.monotonic()
            if now > deadline or give_up():
                return False
            if now > shown:
                waits()
                shown = math.inf
            time.sleep(_PERIOD)
    except OSError:
        return False  # a file system without locks, or Windows
    return True
