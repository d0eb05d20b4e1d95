"""Quiescence of a process tree: nothing will happen any more unless somebody outside causes it.

The first of these rules that holds decides; docs/gates.md, rules, has the reasons, and how often
they are wrong:

- proof: every thread waits in a call without time-out, and none has woken between three looks;
- steady: for a while the tree has used and wanted almost no core time, no thread runs, and each
  thread that waits with a time-out has come round twice, and does not wait for longer than before;
- still: where waits cannot be read, no thread has run or been switched for longer than people nap;
- the caller spins: all others are steady, and the calling process has burned 2 s of CPU time while
  a task is held, or 10 s where it may be computing or printing (to print a gigabyte takes a slow
  machine more than 2 s);
- the caller polls: all others are steady, and the calling process has woken hundreds of times in 4
  s while a task is held. Where none is held, it may be collecting results, slowly.

A message, and a thread that starts or ends, starts all rules anew. So does an event that waits for
the observer: a traced process stands still, or the end of a process that its parent does not learn
of, until the observer has taken it in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from pytest_mpgrade.records import QuiescenceRule
from pytest_mpgrade.run.observe.sleeps import Sleeps
from pytest_mpgrade.system.linux.procfs import Thread

PERIOD = 0.1
"""Seconds between two looks."""
PROOF_LOOKS = 3
"""At one look a thread may be between two waits. One that has slept in the same call through three
looks has nobody left to wake it, since all others sleep, too.
"""
STEADY_SECONDS = 1.0
"""The shortest window of the rule *steady*."""
BLIND_SECONDS = 4.0
"""The window of *steady* where waits cannot be read. It is longer than the time-outs with which
people poll.
"""
STILL_SECONDS = 8.0
"""The window of *still*, for a tree whose waits cannot be read. It is longer than people nap."""
BUSY_SHARE = 0.04
"""Part of a core. Threads that poll need some of it; a worker at work needs more."""
SPIN_SECONDS, COMPUTE_SECONDS = 2.0, 10.0
"""CPU seconds of the caller. What several threads burn at once counts once, since on a large
machine 10 s are computed in no time. While a task is held, what the caller waits for cannot come,
so the first is enough. Otherwise it may be computing, or printing a gigabyte, and has the second.
"""
POLL_SECONDS, POLLS = 4.0, 200
"""A caller that wakes so often in so many seconds, while a task is held, polls. To compute it would
have to stay awake.
"""

ROUNDS = 4
"""Looks at which a thread must have woken, where each of its waits is too short to be measured."""

Snapshot = Mapping[int, Thread]


@dataclass(kw_only=True)
class _Waits:
    """The waits of one thread, from its voluntary switches at every look."""

    switches: int = -1
    asleep: float = 0.0  # time of the first look that showed its present wait
    seen: float = 0.0  # time of the last look
    before: float = 0.0  # time of the last look before its present wait began
    longest: float = 0.0  # seconds that the longest of its ended waits took at least
    rounds: int = 0  # number of looks that showed it had woken

    def look(self, now: float, thread: Thread) -> None:
        """Take in one sample of the thread."""
        if thread.switches != self.switches or thread.state != "S":
            self.rounds += self.switches >= 0 and thread.switches != self.switches
            self.longest = max(self.longest, self.seen - self.asleep)
            self.before = self.seen or now
            self.asleep = now
        self.switches, self.seen = thread.switches, now

    def as_before(self) -> bool:
        """Tell whether the present wait may be one more round of a loop.

        The thread has to have come round before, and not to wait for longer than it did then. Any
        other wait may be the first of its kind.
        """
        if self.rounds >= ROUNDS and self.asleep == self.seen:
            return True
        return self.rounds >= 2 and self.seen - self.before <= self.longest + 1.5 * PERIOD


@dataclass(kw_only=True)
class _Watch:
    """The state that is kept between looks."""

    since: float
    first: Snapshot
    last: Snapshot
    unchanged: int = 0
    # time of the last look that showed a thread had run, been switched or changed its state
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
    """The rules of quiescence, which take in every look and every disturbance."""

    def __init__(self, *, caller: int, sees_waits: bool, stopped: Callable[[int], bool]) -> None:
        self.caller = caller
        self.held = False  # a task stands at a shut gate, so what the caller polls for cannot come
        # CPU seconds that the caller may burn by itself while no task is held
        self.may_compute = COMPUTE_SECONDS
        self.sleeps = Sleeps()
        self._sees_waits = sees_waits
        self._stopped = stopped
        self._watch: _Watch | None = None

    def disturb(self) -> None:
        """Start all rules anew, because something happened."""
        self._watch = None

    def look(
        self,
        now: float,
        threads: Iterable[Thread],
        window: float = STEADY_SECONDS,
        *,
        pending: bool = False,
    ) -> QuiescenceRule:
        """Take in all threads at *now*; return the rule by which the tree is quiescent, "" if none.

        *window* is the least number of seconds for *steady*. *pending* says that, after the threads
        were sampled, an event waited for the observer. It has to be asked after that: the proof
        needs a moment between two looks at which all threads sleep and no event waits.
        """
        new = {thread.tid: thread for thread in threads}
        self.sleeps.look(now, new.values())
        if pending:
            self.disturb()
            return ""
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
            burned = min(ran / 1e9, passed)
            if burned >= (SPIN_SECONDS if self.held else self.may_compute):
                return "the caller spins"
            wakes = sum(
                t.switches - watch.first[tid].switches
                for tid, t in new.items()
                if t.pid == self.caller
            )
            polls = self.held and passed >= max(POLL_SECONDS, window) and wakes >= POLLS
            return "the caller polls" if polls else ""
        if any(thread.state == "R" for thread in new.values()):
            # This is the caller, queued for a core. The kernel reports the time in the queue only
            # when the caller gets a core.
            return ""
        if self._sees_waits and any(
            t.timed and not watch.waits[tid].as_before() for tid, t in new.items()
        ):
            return ""
        return "steady"

    def _busy(self, thread: Thread) -> bool:
        """Tell whether a thread runs, waits for a disk, or is held by the tracer.

        A thread of the caller may run: the rules judge how much core time the caller uses.
        """
        if thread.state == "R":
            return thread.pid != self.caller
        return thread.state == "D" or (thread.state == "t" and not self._stands(thread))

    def _stands(self, thread: Thread) -> bool:
        """Tell whether a signal has stopped the thread's process.

        One that was continued since runs, even if its parent does not know that yet.
        """
        return thread.state in "Tt" and self._stopped(thread.pid)
