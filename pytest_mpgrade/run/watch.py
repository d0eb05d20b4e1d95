"""One process tree under observation: its messages, its gates, and when it is quiet.

The scripts of `gatekeeper` and the flow of `supervisor` are written in terms of this: pump messages, wait *until*
something is true, open gates.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from pytest_mpgrade.records import GateEvent
from pytest_mpgrade.run.observer import Observer
from pytest_mpgrade.run.quiet import PERIOD, STEADY_SECONDS, Quiet
from pytest_mpgrade.run.transport import Message, Server

CONTROL = frozenset(("ready", "imported", "call", "unusable", "back", "settled", "done"))
"""Messages by which the calling thread waits for the supervisor; see inside/child.py."""

GO = b"go"
GO_LEAVE = b"go, leave by gate"
MAX_EVENTS = 50_000


@dataclass(frozen=True, kw_only=True)
class Held:
    """A task at its gate."""

    sender: int
    pid: int


class Watch:
    """See the module's docstring. `until` answers with how a wait ended."""

    def __init__(
        self, observer: Observer, server: Server, caller: int, every_look: Callable[[], object] = lambda: None
    ) -> None:
        self.observer = observer
        self.server = server
        self.caller = caller
        self.quiet = Quiet(caller=caller, sees_waits=observer.sees_waits, stopped=observer.stopped)
        self.began = time.monotonic()
        self.deadline = math.inf
        self.events: list[GateEvent] = []
        self.inside: dict[str, Held] = {}
        self.leaving: dict[int, int] = {}
        self.control: Message | None = None
        self.keep_shut: Callable[[str], bool] = lambda _: False
        self.exit_gates = False  # workers are told to leave by an exit gate
        self.hold_exits = False  # and are kept there
        self.in_caller = False  # a task has run in the calling process
        self.rule = ""
        self._every_look = every_look
        self._next_look = 0.0

    def begin(self, seconds: float) -> None:
        """A new call starts: forget the events of the last one; gates that are shut stay shut."""
        self.began = time.monotonic()
        self.deadline = self.began + seconds
        self.events = []
        self.rule = ""
        self.quiet.disturb()

    def reply(self, data: bytes = GO) -> None:
        """Let the calling thread go on."""
        message, self.control = self.control, None
        self.quiet.disturb()
        if message is not None:
            self.server.answer(message.sender, data)

    def pump(self, seconds: float) -> bool:
        """Take in messages, waiting up to *seconds*; True when there were any."""
        some = False
        for message in self.server.poll(seconds):
            some = True
            self._take(message)
        self.observer.refresh()
        if some:
            self.quiet.disturb()
        return some

    def _take(self, message: Message) -> None:
        if not message.kind:
            self._hung_up(message.sender)
        elif message.kind in CONTROL:
            if message.pid == self.caller:
                self.control = message
        elif message.kind == "leave":
            self._event(message)
            self.leaving[message.sender] = message.pid
            if not self.hold_exits:
                self.open_exits()
        elif message.kind in ("note", "gate", "doom"):
            self._event(message)
            self._arrived(message)

    def _arrived(self, message: Message) -> None:
        key = str(message.body.get("key"))
        # A task in the calling process is a proven fault; that process would wait for itself.
        shut = message.kind == "gate" and message.pid != self.caller and self.keep_shut(key) and key not in self.inside
        if shut:
            self.inside[key] = Held(sender=message.sender, pid=message.pid)
        elif message.kind != "note":
            self._open(message.sender)

    def _event(self, message: Message) -> None:
        self.in_caller = self.in_caller or message.pid == self.caller
        if len(self.events) < MAX_EVENTS:
            key = str(message.body.get("key"))[:200]
            at = round(time.monotonic() - self.began, 4)
            self.events.append(GateEvent(kind=message.kind, key=key, pid=message.pid, at=at))

    def _hung_up(self, sender: int) -> None:
        self.leaving.pop(sender, None)
        for key in [key for key, held in self.inside.items() if held.sender == sender]:
            held = self.inside.pop(key)
            at = round(time.monotonic() - self.began, 4)
            self.events.append(GateEvent(kind="lost", key=key, pid=held.pid, at=at))

    def _open(self, sender: int) -> None:
        self.server.answer(sender, GO_LEAVE if self.exit_gates else GO)

    def open(self, key: str) -> int:
        """Open one gate; return who stood at it."""
        held = self.inside.pop(key)
        self.quiet.disturb()
        self._open(held.sender)
        return held.pid

    def open_all(self) -> None:
        """Open every gate, now and on arrival."""
        self.keep_shut = lambda _: False
        for key in list(self.inside):
            self.open(key)

    def open_exits(self) -> None:
        """Let the workers leave that stand at their exit gates."""
        for sender in list(self.leaving):
            del self.leaving[sender]
            self.server.answer(sender, GO)
        self.quiet.disturb()

    @property
    def back(self) -> bool:
        """Has the call come back?"""
        return self.control is not None

    @property
    def dead(self) -> bool:
        """Has the calling process ended?"""
        return self.observer.seen[self.caller].ended

    def arrivals(self) -> list[GateEvent]:
        """Return who came to a gate, in order."""
        return [event for event in self.events if event.kind in ("gate", "note", "doom")]

    def insiders(self) -> set[int]:
        """Return the processes that stand at a gate."""
        return {held.pid for held in self.inside.values()}

    def live(self) -> list[int]:
        """Return all processes of the tree that have not ended."""
        return [pid for pid, seen in self.observer.seen.items() if not seen.ended]

    def workers_alive(self) -> list[int]:
        """Return the processes that have not ended, without the caller and Python's own helpers."""
        return [pid for pid in self.live() if pid != self.caller and not self.observer.seen[pid].helper]

    def until(self, met: Callable[[], bool], window: float = STEADY_SECONDS) -> str:
        """Wait until *met*: "yes"; or "back", "dead", "late", or "quiet" for at least *window* (see `quiet`)."""
        while True:
            if met():
                return "yes"
            if self.back:
                self._drain()
                return "back"
            if self.dead and not self.pump(0):
                return "dead"
            now = time.monotonic()
            if now > self.deadline:
                return "late"
            calm = not self.pump(0.02)
            if now < self._next_look:
                continue
            self._next_look = now + PERIOD
            self._every_look()
            if calm:
                self.rule = self.quiet.look(now, self.observer.threads(self.live()), window)
                if self.rule:
                    self.quiet.disturb()
                    return "quiet"

    def _drain(self) -> None:
        """Take in what was sent before the call came back, and has not been read yet."""
        for _ in range(1000):
            if not self.pump(self.server.lag):
                return

    def settle(self, seconds: float) -> None:
        """Wait until every thread of the tree is asleep in 3 looks 10 ms apart, *seconds* at most."""
        end = time.monotonic() + seconds
        looks = 0
        while looks < 3 and time.monotonic() < end and not self.back and not self.dead:
            self.pump(0.01)
            busy = any(thread.state in "RDt" for thread in self.observer.threads(self.live()))
            looks = 0 if busy else looks + 1
