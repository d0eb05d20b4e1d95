"""When is a process tree quiet: will nothing happen any more that nobody outside causes?

The first of these rules that holds decides; docs/gates.md, rules, has the reasons, and how often
they are wrong:

- proof: every thread waits in a call without time-out, and none has woken between three looks;
- steady: for a while the tree has used almost no core time and wanted none, nobody runs, and
  everyone who waits with a time-out has come round twice, and has not been waiting for longer than
  it did before;
- still: where waits cannot be read, no thread has run or been switched for longer than people nap;
- the caller spins: all others are steady and the calling process has burned 2 s of CPU while a task
  is held, or 10 s where it may be computing something (or printing: a gigabyte takes more than 2 s
  of a slow machine);
- the caller polls: all others are steady and the calling process has woken hundreds of times in 4
  s, while a task is held: else it may be collecting results, slowly.

Any message, and any thread that starts or ends, starts the watch anew; so does whatever waits for
us: a process that stands still until we let it go on, or the end of one that its parent does not
hear of before we have.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from pytest_mpgrade.records import QuiescenceRule
from pytest_mpgrade.system.linux.procfs import Thread

PERIOD = 0.1
"""Seconds between two looks."""
PROOF_LOOKS = 3
STEADY_SECONDS = 1.0
BLIND_SECONDS = 4.0
"""Where waits cannot be read, the window is longer than the time-outs that people use when they
poll.
"""
STILL_SECONDS = 8.0
"""Where waits cannot be read: how long a tree in which nobody has moved at all may be in one
nap.
"""
BUSY_SHARE = 0.04
SPIN_SECONDS, COMPUTE_SECONDS = 2.0, 10.0
POLL_SECONDS, POLLS = 4.0, 200
"""A caller that wakes so often, and to no effect for so long, polls; to compute it would have to
stay awake.
"""

ROUNDS = 4
"""Looks at which a thread must have been seen to come round, where each of its waits is too short
to be measured.
"""

Snapshot = Mapping[int, Thread]


@dataclass(kw_only=True)
class _Waits:
    """How long one thread has waited each time, by its voluntary switches at every look."""

    switches: int = -1
    asleep: float = 0.0  # when the wait that it is in was first seen
    seen: float = 0.0  # when it was last looked at
    before: float = 0.0  # last look before the wait that it is in began
    longest: float = 0.0  # least seconds that the longest of its ended waits took
    rounds: int = 0  # looks at which it had woken

    def look(self, now: float, thread: Thread) -> None:
        """Take in one look at the thread."""
        if thread.switches != self.switches or thread.state != "S":
            self.rounds += self.switches >= 0 and thread.switches != self.switches
            self.longest = max(self.longest, self.seen - self.asleep)
            self.before = self.seen or now
            self.asleep = now
        self.switches, self.seen = thread.switches, now

    def as_before(self) -> bool:
        """Tell whether nothing speaks against its having done this all along; a nap may be the
        first of its kind.
        """
        if self.rounds >= ROUNDS and self.asleep == self.seen:
            return True
        return self.rounds >= 2 and self.seen - self.before <= self.longest + 1.5 * PERIOD


@dataclass(kw_only=True)
class _Watch:
    """What is remembered between looks."""

    since: float
    first: Snapshot
    last: Snapshot
    unchanged: int = 0
    # when a thread was last seen to have run, been switched or changed its state
    moved: float = 0.0
    waits: dict[int, _Waits] = field(default_factory=lambda: defaultdict(_Waits))

    def look(self, now: float, new: Snapshot) -> None:
        """Take in one look."""
        if any(thread != self.last[tid] for tid, thread in new.items()):
            self.moved = now
        self.last = new
        for tid, thread in new.items():
            self.waits[tid].look(now, thread)


class Quiet:
    """Told of every look and every disturbance; answers by which rule the tree is quiet, "" for not
    yet.
    """

    def __init__(self, *, caller: int, sees_waits: bool, stopped: Callable[[int], bool]) -> None:
        self.caller = caller
        self.held = False  # a task stands at a shut gate: what the caller polls for cannot come
        # of CPU, which the caller may burn by itself while no task is held
        self.may_compute = COMPUTE_SECONDS
        self._sees_waits = sees_waits
        self._stopped = stopped
        self._watch: _Watch | None = None

    def disturb(self) -> None:
        """Something happened: start anew."""
        self._watch = None

    def look(
        self,
        now: float,
        threads: Iterable[Thread],
        window: float = STEADY_SECONDS,
        *,
        pending: bool = False,
    ) -> QuiescenceRule:
        """Take in one look at all threads of the tree at *now*; *window* is the least time to be
        called steady.

        *pending*: after that look, something was waiting for us. Asked before it, this would prove
        nothing: between two looks at which all are asleep, there must be a moment at which nothing
        waits for us.
        """
        if pending:
            self.disturb()
            return ""
        new = {thread.tid: thread for thread in threads}
        watch = self._watch
        if watch is None or watch.first.keys() != new.keys():
            self._anew(now, new)
            return ""
        watch.unchanged = watch.unchanged + 1 if self._asleep_for_ever(watch.last, new) else 0
        watch.look(now, new)
        if self._sees_waits and watch.unchanged >= PROOF_LOOKS:
            return "proof"
        if not self._sees_waits and now - watch.moved >= STILL_SECONDS:
            return "still"
        return self._steady(
            watch, now, new, window if self._sees_waits else max(window, BLIND_SECONDS)
        )

    def _anew(self, now: float, new: Snapshot, unchanged: int = 0) -> None:
        self._watch = _Watch(since=now, first=new, last=new, moved=now, unchanged=unchanged)
        self._watch.look(now, new)

    def _asleep_for_ever(self, before: Snapshot, now: Snapshot) -> bool:
        for tid, thread in now.items():
            if thread.state == "Z" == before[tid].state or self._stands(thread):
                continue
            if thread.state != "S" or thread.timed or thread.switches != before[tid].switches:
                return False
        return True

    def _steady(self, watch: _Watch, now: float, new: Snapshot, window: float) -> QuiescenceRule:
        passed = now - watch.since
        others, mine, ran = 0, 0, 0
        for tid, thread in new.items():
            used = thread.ran + thread.queued - watch.first[tid].ran - watch.first[tid].queued
            if thread.pid == self.caller:
                mine += used
                ran += thread.ran - watch.first[tid].ran
            else:
                others += used
        if others > BUSY_SHARE * 1e9 * max(window, passed):
            self._anew(now, new, watch.unchanged)
            return ""
        if passed < window or any(self._busy(thread) for thread in new.values()):
            return ""
        if mine > BUSY_SHARE * 1e9 * passed:
            if ran >= (SPIN_SECONDS if self.held else self.may_compute) * 1e9:
                return "the caller spins"
            wakes = sum(
                t.switches - watch.first[tid].switches
                for tid, t in new.items()
                if t.pid == self.caller
            )
            polls = self.held and passed >= max(POLL_SECONDS, window) and wakes >= POLLS
            return "the caller polls" if polls else ""
        if any(thread.state == "R" for thread in new.values()):
            # the caller, which has no core: how long it has waited for one is told when it gets it
            return ""
        if self._sees_waits and any(
            t.timed and not watch.waits[tid].as_before() for tid, t in new.items()
        ):
            return ""
        return "steady"

    def _busy(self, thread: Thread) -> bool:
        """Runs, waits for a disk, or is held by a tracer; that the caller runs is judged by how
        much.
        """
        if thread.state == "R":
            return thread.pid != self.caller
        return thread.state == "D" or (thread.state == "t" and not self._stands(thread))

    def _stands(self, thread: Thread) -> bool:
        """Tell whether a signal has stopped it; one that has been continued since, and not been
        told of, runs.
        """
        return thread.state in "Tt" and self._stopped(thread.pid)
