"""One process tree under observation: take in messages, and wait until a condition holds.

`gate_scripts` and `supervisor` are written in terms of this: pump messages, wait *until* something
is true or cannot become true any more, answer the calling process. `gate_book` has its gates.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

from pytest_mpgrade.records import QuiescenceRule, WaitEnd
from pytest_mpgrade.run.observe.base import Observer, nothing_moves
from pytest_mpgrade.run.observe.clock import Clock
from pytest_mpgrade.run.observe.deadline import Deadline
from pytest_mpgrade.run.observe.gate_book import GO, HELD, LOOP, MAX_EVENTS, TASKS, Gates
from pytest_mpgrade.run.observe.gate_socket import GateServer, Message
from pytest_mpgrade.run.observe.quiescence import COMPUTE_SECONDS, PERIOD, STEADY_SECONDS, Quiet
from pytest_mpgrade.run.observe.reading import Reading
from pytest_mpgrade.system import quotas
from pytest_mpgrade.system.linux import procfs

CONTROL = frozenset(("ready", "imported", "call", "unusable", "back", "settled", "done"))
"""Messages by which the calling thread waits for the supervisor; see inside/child.py."""
ENDS_SECONDS = 1.0
"""Seconds to wait until the tracer has taken in the ends of processes that are zombies."""


class Watch:
    """See the module's docstring. `until` returns how a wait ended."""

    def __init__(
        self,
        observer: Observer,
        server: GateServer,
        root: int,
        every_look: Callable[[], str] = lambda: "",
    ) -> None:
        self.observer = observer
        self.server = server
        # At first the root; from "ready" on the process that imports the submission.
        self.caller = root
        self.quiet = Quiet(caller=root, sees_waits=observer.sees_waits, stopped=observer.stopped)
        self.clock = Clock(observer.pending, lambda: observer.taken)
        self.began = time.monotonic()
        self.deadline = Deadline(quotas.cores())
        self.gates = Gates(server.answer, self.quiet.disturb)
        self.control: Message | None = None  # after it the calling process waits for us
        self.in_caller = False  # a task has run in the calling process
        self.rule: QuiescenceRule = ""
        self.fault = ""  # which limit was exceeded, or which message no task sends
        # of the tasks that were handed out; None: not known
        self.keys: frozenset[str] | None = None
        self.aside: frozenset[int] = frozenset()  # threads that count only while they run
        self.step, self.period = 0.02, PERIOD  # seconds of a wait for messages, between two looks
        self._look_in: Callable[[], object] = _nothing
        self.ready = False
        self._every_look = every_look
        self._next_look = 0.0
        self._reading = Reading()

    def begin(self, seconds: float) -> None:
        """Start a new call, which may take *seconds*."""
        self.began = time.monotonic()
        self.deadline.begin(self.began, seconds)
        self.gates.begin(self.began)
        self.rule = ""
        self._reading = Reading()
        self.quiet.sleeps.begin()
        self.quiet.may_compute = min(COMPUTE_SECONDS, seconds / 2)
        self.quiet.disturb()

    def reply(self, data: bytes = GO) -> None:
        """Let the calling thread go on."""
        message, self.control = self.control, None
        self.quiet.disturb()
        if message is not None:
            self.server.answer(message.sender, data)

    @contextlib.contextmanager
    def unanswered(self) -> Iterator[None]:
        """Leave the caller waiting, so that `until` waits for something other than its return."""
        control, self.control = self.control, None
        try:
            yield
        finally:
            self.control = control

    @contextlib.contextmanager
    def looking_in(self, look: Callable[[], object]) -> Iterator[None]:
        """Have *look* called again and again while `until` waits."""
        self._look_in = look
        try:
            yield
        finally:
            self._look_in = _nothing

    def pump(self, seconds: float) -> bool:
        """Take in messages, waiting up to *seconds* for the first; tell whether there were any."""
        some = False
        for message in self.server.poll(seconds):
            some = True
            self._take(message)
        self.observer.refresh()
        self.deadline.at += self.clock.look()
        if some:
            self.quiet.disturb()
        return some

    def _take(self, message: Message) -> None:
        known = self._known(message)
        if not message.kind:
            self.gates.hang_up(message.sender)
        elif message.kind == "hello":
            self.server.answer(message.sender, GO)  # also to strangers, who would wait for ever
        elif not known:
            return
        elif message.kind in CONTROL:
            self._controlled(message)
        elif message.kind in LOOP and message.pid == self.caller:
            self.gates.loop.hear(message)
        elif message.kind == "leave":
            self._note(message)
            self.gates.leave(message.sender, message.pid)
        elif message.kind == "hold":  # not believed: it only makes its sender wait
            self.gates.arrive(message, f"{HELD}{message.key}", may_stand=True)
        elif message.kind in TASKS:
            self._note(message)
            self._arrived(message)
        else:
            self.fault = f"a process sent the grader {message.kind!r:.60}, which no task says"

    def _known(self, message: Message) -> bool:
        """Tell whether the sender is a process of the tree; the messages of others are ignored.

        A traced process cannot run before the observer has entered it.
        """
        return (
            message.pid in self.observer.seen
            or not self.server.attests
            or self.observer.meet(message.pid)
        )

    def _controlled(self, message: Message) -> None:
        """Take in a message of the calling thread.

        The first process that is ready is the caller: no student code has run by then.
        Processes around it are the isolation.
        """
        if not self.ready and message.kind == "ready":
            self.ready = True
            self.caller = self.quiet.caller = message.pid
            for pid, process in self.observer.seen.items():
                process.sandbox = pid != message.pid
        if message.pid == self.caller:
            self.control = message

    def _arrived(self, message: Message) -> None:
        key = message.key
        if self.keys is not None and key not in self.keys:
            self.fault = f"a process told of a task {key!r:.60} that was never handed out"
        # The caller would wait for itself; for a call that is not awaited this is a proven fault.
        self.gates.arrive(message, key, may_stand=message.pid != self.caller)

    def _note(self, message: Message) -> None:
        self.in_caller |= message.pid == self.caller and not self.gates.in_threads
        if message.pid in self.observer.seen:
            self.observer.seen[message.pid].ran_task = True
        if not self.gates.note(message):
            self.fault = f"more than {MAX_EVENTS} messages were sent to the grader"

    def lost(self) -> float:
        """Return the seconds in which other programs kept the tree from cores in this call."""
        return self.deadline.lost(time.monotonic(), self._threads())

    @property
    def back(self) -> bool:
        """Whether the call has come back."""
        return self.control is not None

    @property
    def dead(self) -> bool:
        """Whether the calling process has ended."""
        return self.observer.seen[self.caller].ended

    def live(self) -> list[int]:
        """Return all processes of the tree that have not ended."""
        return [pid for pid, process in self.observer.seen.items() if not process.ended]

    def workers_alive(self) -> list[int]:
        """Return the processes that have not ended, without the caller and Python's own helpers."""
        return [
            pid for pid in self.live() if pid != self.caller and not self.observer.seen[pid].helper
        ]

    def computed(self) -> float | None:
        """Return the CPU seconds of all processes so far.

        None where those of ended processes are not known.
        """
        if not self.observer.sees_exits:
            return None
        self.take_in_ends(ENDS_SECONDS)  # each end comes with the CPU time of its process
        processes = [each for each in self.observer.seen.values() if not each.sandbox]
        alive = [each.pid for each in processes if not each.ended]
        return sum(each.cpu for each in processes if each.ended) + sum(map(procfs.cpu, alive))

    def until_back(self, window: float = STEADY_SECONDS) -> WaitEnd:
        """Wait until the caller waits for us again; see `until`."""
        return self.until(lambda: False, window)

    def until(self, met: Callable[[], bool], window: float = STEADY_SECONDS) -> WaitEnd:
        """Wait until *met* holds, or cannot hold any more; return which.

        "yes": it holds. "back": the call has come back. "dead": the caller has ended. "late": the
        deadline has passed. "over": there is a fault. "quiet": the tree is quiescent, with this
        *window* in seconds; see `quiescence`.
        """
        while True:
            if self.fault:
                return "over"
            if met():
                return "yes"
            if self.back:
                self._drain()
                return "back"
            if self.dead and not self.pump(self.server.lag):
                return "dead"
            now = time.monotonic()
            if self.deadline.passed(now, self._threads):
                return "late"
            calm = not self.pump(self.step)
            self._look_in()
            if now < self._next_look:
                continue
            self._next_look = now + self.period
            self.fault = self.fault or self._every_look()  # type: ignore[redundant-expr]  # - of pump()
            self._reading.look(now, self.observer.chars_read(self.caller))
            self.deadline.look(now, self._threads)
            if calm:
                self.quiet.held = bool(self.gates.inside)
                pending = self.observer.pending() or self.server.owes()
                self.rule = self.quiet.look(now, self._threads(), window, pending=pending)
                if self.rule != "proof" and not self.gates.inside and self.still_reading:
                    self.rule = ""
                if self.rule:
                    self.quiet.disturb()
                    return "quiet"

    def _threads(self) -> list[procfs.Thread]:
        """Return a sample of all threads that decide whether the tree is quiescent."""
        threads = self.observer.threads(self.live())
        return [thread for thread in threads if thread.tid not in self.aside or thread.state != "S"]

    @property
    def still_reading(self) -> bool:
        """Whether the caller has lately read anything; it takes results one by one then."""
        return self._reading.lately

    def _drain(self) -> None:
        """Take in the messages that were sent before the call came back."""
        for _ in range(1000):
            if not self.pump(self.server.lag):
                return

    def settle(self, seconds: float, now: Callable[[], float] | None = None) -> None:
        """Wait until every thread of the tree is asleep in 3 looks 10 ms apart.

        *seconds* of *now* are the most, by default of the tree's own time. *now* has to be real
        time where a time-out of the caller, which runs by that, may run meanwhile.
        """
        now = now or self.clock.now
        end = now() + seconds
        looks = 0
        while looks < 3 and now() < end and not self.back and not self.dead:
            self.pump(0.01)
            looks = looks + 1 if nothing_moves(self.observer, self.live()) else 0

    def take_in_ends(self, seconds: float) -> None:
        """Wait, for *seconds* at most, until every end of a process has been taken in.

        The process is a zombie until then.
        """
        end = self.clock.now() + seconds
        while self._untold_ends() and self.clock.now() < end:
            self.pump(0.002)

    def _untold_ends(self) -> bool:
        """Tell whether the end of a process has not been taken in.

        Without ptrace the kernel reports our own children only; taking in a report reaps one.
        """
        if not self.observer.sees_exits:
            return self.observer.pending()
        return any(self.observer.state(pid) != "alive" for pid in self.live())


def _nothing() -> None:
    """Look at nothing."""
