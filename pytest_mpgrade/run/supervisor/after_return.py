"""The process tree while the calling thread waits: at the return, and once the tree is quiet."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from pytest_mpgrade.records import Leftover, LeftoverKind, ProcessState
from pytest_mpgrade.run.explain.doing import is_manager
from pytest_mpgrade.run.explain.stacks import Stacks
from pytest_mpgrade.run.observe import leftovers
from pytest_mpgrade.run.observe.base import nothing_moves
from pytest_mpgrade.run.observe.watch import Watch

GONE_SECONDS = 2.0
"""Seconds after its return in which the workers of a call may end; docs/contract.md,
after-the-return.
"""
BUSY_SECONDS = 10.0
"""The same on a machine so busy that the workers have not been able to run."""
SLEEPING_LOOKS = 5
"""Looks, 10 ms apart, that have to show a process asleep before it is asked for its stacks."""
CALM_LOOKS = 30
"""Looks, 10 ms apart, that have to show that nothing of the tree runs or wants to."""


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """The tree of one run, with what is needed to say what it leaves behind."""

    watch: Watch
    names: leftovers.Names
    stacks: Stacks

    def holdings(self) -> leftovers.Holdings:
        """Return what the calling process holds now."""
        return leftovers.holdings(self.watch.caller, self.names)

    def states(self) -> dict[int, ProcessState]:
        """Return the state of each process at the moment of return.

        The calling thread waits meanwhile.
        """
        observer = self.watch.observer
        observer.refresh()
        states = {
            pid: process.look(observer.state(pid))
            for pid, process in observer.seen.items()
            if pid != self.watch.caller
        }
        untold = [
            pid
            for pid, state in states.items()
            if state == "zombie" and not observer.seen[pid].ended
        ]
        # An orphan of the tree is no zombie of the caller's: only we can reap it.
        if untold:
            self.watch.take_in_ends(GONE_SECONDS)
        return states | {pid: observer.state(pid) for pid in untold}

    def left(self, before: leftovers.Holdings, *, handles: bool, saved: bool) -> list[Leftover]:
        """Return what the call has left besides processes, when the tree is quiet or after 2 s.

        *before* is what the caller held before the call. With *handles* nothing is waited for: the
        call has returned handles of something that goes on, or the next call follows at once. With
        *saved* the child keeps handles for later steps, whose pipes are not left over.
        """
        with self.watch.unanswered():
            gained = self._wait_for_the_end(before, handles, saved)
        if not handles:
            self._find_managers()
        own = not handles and any(kind == "thread" for kind, _ in gained) and self._runs_own_lines()
        return [
            Leftover(kind=kind, name=name, own=own and kind == "thread") for kind, name in gained
        ]

    def _wait_for_the_end(
        self, before: leftovers.Holdings, handles: bool, saved: bool
    ) -> list[tuple[LeftoverKind, str]]:
        watch, start = self.watch, self.watch.clock.now()
        watch.quiet.disturb()
        gained, calm = self._gained(before), 0
        while (
            not handles
            and self._lingers(gained, saved)
            and watch.clock.now() < start + BUSY_SECONDS
        ):
            watch.deadline.at = time.monotonic() + 1
            how = watch.until(after(0.01))
            gained = self._gained(before)
            calm = calm + 1 if self.nothing_moves() else 0
            long = watch.clock.now() > start + GONE_SECONDS
            if how == "over" or (how == "quiet" and (watch.rule == "proof" or long)):
                break
            # Only workers have 2 s to end.
            if calm >= CALM_LOOKS and (long or not self.workers_linger()):
                break
        watch.take_in_ends(GONE_SECONDS)
        return gained

    def _find_managers(self) -> None:
        """Note which processes that are left alive without a task are a manager's server."""
        watch = self.watch
        for pid in self._alive():
            process = watch.observer.seen[pid]
            if not (process.helper or process.ran_task) and nothing_moves(watch.observer, [pid]):
                process.serves = is_manager(pid, watch.caller, self.stacks)

    def _runs_own_lines(self) -> bool:
        """Tell whether a thread of the calling process is in the submission's code.

        Stacks do not say which thread it is. A thread that never sleeps is no helper that waits, so
        it counts. Only sleeping threads are asked for their stacks: faulthandler reads the stacks
        of other threads without the interpreter's lock, and can crash if one of them runs
        meanwhile.
        """
        if not self._caller_sleeps():
            return True
        return any(
            self.stacks.owns(frame)
            for thread in self.stacks.of(self.watch.caller)
            for frame in thread
        )

    def _caller_sleeps(self) -> bool:
        """Tell whether all threads of the calling process are asleep in some looks in a row.

        One second is left for `SLEEPING_LOOKS` of them, which has room for many more.
        """
        end, calm = time.monotonic() + 1.0, 0
        while calm < SLEEPING_LOOKS and time.monotonic() < end:
            calm = calm + 1 if nothing_moves(self.watch.observer, [self.watch.caller]) else 0
            self.watch.pump(0.01)
        return calm >= SLEEPING_LOOKS

    def let_end(self) -> None:
        """Give the caller's children 2 s to end, and more where they do not get to run."""
        watch, start, calm = self.watch, self.watch.clock.now(), 0
        watch.quiet.disturb()
        while self._alive() and watch.clock.now() < start + BUSY_SECONDS:
            watch.deadline.at = time.monotonic() + 1
            watch.until(after(0.01))
            calm = calm + 1 if self.nothing_moves() else 0
            if calm >= CALM_LOOKS and watch.clock.now() > start + GONE_SECONDS:
                break
        watch.take_in_ends(GONE_SECONDS)

    def _alive(self) -> list[int]:
        return [
            pid for pid in self.watch.workers_alive() if self.watch.observer.state(pid) == "alive"
        ]

    def nothing_moves(self) -> bool:
        """Tell whether every process but the caller is asleep, stopped by a signal, or gone."""
        return nothing_moves(self.watch.observer, self.watch.workers_alive())

    def workers_linger(self) -> bool:
        """Tell whether a process is alive that has run a task in this call or an earlier one."""
        return any(self.watch.observer.seen[pid].ran_task for pid in self.watch.workers_alive())

    def _lingers(self, gained: list[tuple[LeftoverKind, str]], saved: bool) -> bool:
        shut = self.watch.gates.insiders()
        alive = [pid for pid in self._alive() if pid not in shut]
        return bool(alive or (gained and not saved))

    def _gained(self, before: leftovers.Holdings) -> list[tuple[LeftoverKind, str]]:
        helpers = [pid for pid, process in self.watch.observer.seen.items() if process.helper]
        return leftovers.gained(before, self.holdings(), helpers)


def after(seconds: float) -> Callable[[], bool]:
    """Return a condition that is true once *seconds* have passed."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end
