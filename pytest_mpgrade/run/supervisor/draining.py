"""How many tasks wait for the processes that stand at gates: the gate script `drain`.

While all other processes are stopped, nobody can hand out another task. What a process at a gate
takes when it is let go was waiting for it. So a queue is counted without a question to anybody who
fills it: what a producer still holds in its hands, or in its own memory, does not count.

A manager's server is not stopped, since it has the queue. A producer that was stopped may have
asked it to put an item, each of its threads one at most. So many do not count.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Collection, Iterator

from pytest_mpgrade.records import GateReport
from pytest_mpgrade.run.explain.doing import is_manager
from pytest_mpgrade.run.explain.stacks import Stacks
from pytest_mpgrade.run.observe.watch import Watch

FILL_SECONDS = 3.0
"""Seconds in which producers may fill a queue. A tree that polls busily may never be quiescent, and
what is counted at any other moment is true as well.
"""
STOP_SECONDS = 5.0
"""Seconds until a process that was sent SIGSTOP has stopped, at most."""


def drain(watch: Watch, n: int, stacks: Stacks) -> GateReport:
    """Play the script `records.Drained`."""
    watch.gates.keep_shut = lambda _: True
    how = watch.until(lambda: len(watch.gates.insiders()) >= n)
    end = watch.clock.now() + FILL_SECONDS
    if how == "yes":
        how = watch.until(lambda: watch.clock.now() > end)
    crew = watch.gates.insiders()
    drained = None
    if how in ("yes", "quiet") and crew and hasattr(signal, "SIGSTOP"):
        drained = _drained(watch, crew, stacks)
    watch.gates.open_all()
    return GateReport(
        script="drain",
        wanted=n,
        met=len(crew) >= n,
        most_inside=len(crew),
        crew=tuple(sorted(crew)),
        alive_then=len(watch.workers_alive()),
        early=how == "back",
        quiet=watch.rule if how == "quiet" else "",
        drained=drained,
    )


def _drained(watch: Watch, crew: Collection[int], stacks: Stacks) -> int | None:
    """Return how many tasks the crew takes while all others are stopped.

    None where some process could not be stopped.
    """
    others = [
        pid for pid in watch.live() if pid not in crew and not watch.observer.seen[pid].helper
    ]
    managers = [pid for pid in others if is_manager(pid, watch.caller, stacks)]
    producers = [pid for pid in others if pid not in managers]
    with _stopped(watch, producers) as all_stopped:
        if not all_stopped:
            return None
        before = len(watch.gates.arrivals())
        watch.gates.open_all()
        watch.until(lambda: False)
        taken = len(watch.gates.arrivals()) - before
    asked = len(watch.observer.threads(producers)) if managers else 0
    return max(0, taken - asked)


@contextlib.contextmanager
def _stopped(watch: Watch, pids: Collection[int]) -> Iterator[bool]:
    """Have processes stopped by a signal; give whether all of them are."""
    try:
        for pid in pids:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGSTOP)
        end = time.monotonic() + STOP_SECONDS
        while not all(_stands(watch, pid) for pid in pids) and time.monotonic() < end:
            watch.pump(0.01)
        yield all(_stands(watch, pid) for pid in pids)
    finally:
        for pid in pids:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGCONT)


def _stands(watch: Watch, pid: int) -> bool:
    return watch.observer.state(pid) != "alive" or watch.observer.stopped(pid)
