"""The supervisor's part in one schedule: threads that come to its points are held there.

A held thread goes on when nothing else can happen: the tree is quiescent. All of it is legal: a
delay changes nothing that a right program does.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from pytest_mpgrade.records import GateReport, HeldPoints, Script, WaitEnd
from pytest_mpgrade.run.observe.gate_book import HELD
from pytest_mpgrade.run.observe.quiescence import PERIOD
from pytest_mpgrade.run.observe.watch import Watch

HELD_SECONDS = 3.5
"""Seconds in which threads are held in one call, all together. A submission may give up after 5 s,
and what follows a hold may take its time on a busy machine: no schedule may let such a time-out run
out, which is a promise.
"""
AGAIN_SECONDS = 1.5
"""The longest hold beside a call that is made again and again. It has to be over before the call is
given up because nothing moves, after `calls.STILL_SECONDS`.
"""
LOOK_SECONDS = 0.03
"""Seconds between two looks while a thread is held. A hold that ends too soon shows less, and never
a fault that is none, so the looks may be closer than those of a verdict.
"""


def play_schedule(watch: Watch, script: HeldPoints) -> GateReport:
    """Hold threads at the points of a schedule; report which were held, in their order.

    It ends when the call has come back, or when no thread is held and nothing can happen any more.
    Where the call has come back, what is still held stays so: the tree is looked at first.
    """
    gates = watch.gates
    gates.keep_shut = lambda key: key.startswith(HELD) and key not in gates.opened
    held: list[str] = []
    left = HELD_SECONDS
    how: WaitEnd = "yes"
    while left > 0 and how == "yes":
        how = watch.until(lambda: bool(gates.inside))
        if how == "yes":
            began = time.monotonic()
            how = _nothing_else(watch, began + left, _window(_held(watch), script))
            spent = time.monotonic() - began
            left -= spent
            watch.deadline.at += spent
        if how in ("yes", "quiet") and gates.inside:
            first = min(gates.inside)
            held.append(first.removeprefix(HELD))
            gates.open(first)
            how = "yes"
    report = GateReport(script="points", first=tuple(held))
    if how != "back" or left <= 0:
        gates.open_all()
    return report


def until_back(watch: Watch, window: float) -> WaitEnd:
    """Wait until a call that is made again has come back, as `Watch.until_back` does.

    Where nothing can happen because threads are held, one goes on first.
    """
    while True:
        how = watch.until_back(window)
        held = _held(watch)
        if how != "quiet" or not held:
            return how
        watch.gates.open(held[0])


def let_held_go(watch: Watch, script: Script) -> None:
    """Let all held threads go on, where the call that has come back is the last of its round."""
    if isinstance(script, HeldPoints) and script.last:
        watch.gates.open_all()


def unstick(watch: Watch, still: float, script: Script) -> None:
    """Let held threads go on if beside a call that polls nothing has moved for *still* seconds."""
    held = _held(watch)
    if not held or not isinstance(script, HeldPoints):
        return
    if still > min(AGAIN_SECONDS, _window(held, script)):
        watch.gates.open_all()


def _held(watch: Watch) -> list[str]:
    return sorted(key for key in watch.gates.inside if key.startswith(HELD))


def _window(held: Sequence[str], script: HeldPoints) -> float:
    """Return the seconds in which nothing may change, until the first of those held goes on.

    A submission may send keys of its own; nobody waits for these.
    """
    known = {f"{HELD}{number}": seconds for number, seconds in enumerate(script.windows)}
    return max((known.get(key, 0.0) for key in held), default=0.0)


def _nothing_else(watch: Watch, end: float, window: float) -> WaitEnd:
    """Wait until nothing else can happen while threads are held, or time is over."""
    watch.period = LOOK_SECONDS
    try:
        return watch.until(lambda: time.monotonic() >= end or not watch.gates.inside, window)
    finally:
        watch.period = PERIOD
