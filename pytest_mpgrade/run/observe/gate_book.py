"""The gates of one process tree: arrivals, the tasks inside, and which gates stay shut.

A task stands at its gate until the grader opens it. A worker that has received its sentinel may
have to wait at an exit gate.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from pytest_mpgrade.inside.gates import PASS
from pytest_mpgrade.records import EventKind, GateEvent, GateOpened
from pytest_mpgrade.run.observe.gate_socket import Message
from pytest_mpgrade.run.observe.loop_line import LoopLine

GO = b"go"
GO_LEAVE = b"go-and-leave-by-gate"
HELD = "held point "
"""How the keys of points begin at which a schedule holds a thread; no task has such a key."""
TASKS = frozenset(("note", "turn", "gate", "doom"))
"""Messages that a task sends: it runs ("note"), it runs and asks how many have begun since another
has ("turn"), it stands at its gate ("gate"), or it is about to end its process ("doom").
"""
LOOP = frozenset(("loop", "turned"))
"""Messages of an event loop: it has begun to listen, or it has turned since it was asked."""
EVENTS: dict[str, EventKind] = {
    "note": "note",
    "turn": "note",
    "gate": "gate",
    "doom": "doom",
    "leave": "leave",
}
"""Messages that are kept as events of the trace."""
MAX_EVENTS = 50_000
"""More than two for each of 10,000 tasks, the most that a call is given; a flood is a fault."""


@dataclass(frozen=True, kw_only=True)
class Held:
    """A task that stands at its gate."""

    sender: int
    pid: int


class Gates:
    """The gates of one tree.

    *answer* opens a gate: it takes the number of a connection and the data to send. *opened* is
    called after a gate was opened.
    """

    def __init__(self, answer: Callable[[int, bytes], None], opened: Callable[[], None]) -> None:
        self.events: list[GateEvent] = []
        self.inside: dict[str, Held] = {}
        self.opened: set[str] = set()  # keys of gates that were opened in this call
        self.openings: list[GateOpened] = []  # the same, and exit gates, with times
        self.leaving: dict[int, int] = {}  # connection -> pid of the process at its exit gate
        self.keep_shut: Callable[[str], bool] = lambda _: False
        self.exit_gates = False  # workers are told to leave by an exit gate
        self.hold_exits = False  # workers are kept at their exit gates
        self.in_threads = False  # tasks may stand at gates in threads of the calling process
        self.loop = LoopLine(answer)
        self._answer = answer
        self._opened = opened
        self._began = time.monotonic()
        self._begun = 0  # tasks that have told so in this call
        self._places: dict[str, int] = {}  # the place of each among these

    def begin(self, now: float) -> None:
        """Begin a new call: forget the events of the last one. Gates that are shut stay shut."""
        self._began = now
        self.events, self.openings = [], []
        self._begun, self._places = 0, {}
        self.opened = set()
        self.loop.begin()

    def arrive(self, message: Message, key: str, *, may_stand: bool) -> None:
        """Take in that a task has come to its gate, and keep it there if the gate is shut.

        Only the first task of a key is kept. *may_stand* is False for a task in the calling
        process, which would wait for itself unless it runs in a thread.
        """
        may_stand = may_stand or self.in_threads
        shut = (
            may_stand
            and message.kind in ("gate", "hold")
            and self.keep_shut(key)
            and key not in self.inside
        )
        if shut:
            self.inside[key] = Held(sender=message.sender, pid=message.pid)
        elif message.kind == "hold":
            self._answer(message.sender, PASS)
        elif message.kind == "turn":
            self._answer(message.sender, str(self._begun_since(message.after)).encode())
        elif message.kind != "note":
            self._let(message.sender, self._token(key, message.pid))

    def leave(self, sender: int, pid: int) -> None:
        """Take in that a worker has come to its exit gate."""
        self.leaving[sender] = pid
        if not self.hold_exits:
            self.open_exits()

    def note(self, message: Message) -> bool:
        """Add a message to the events; return False if there are too many of them."""
        if len(self.events) >= MAX_EVENTS:
            return False
        key = message.key[:200]
        if EVENTS[message.kind] == "note":
            self._places.setdefault(key, self._begun)
            self._begun += 1
        token = secrets.token_hex(8) if message.kind == "gate" else ""
        self.events.append(
            GateEvent(
                kind=EVENTS[message.kind], key=key, pid=message.pid, at=self._now(), token=token
            )
        )
        return True

    def hang_up(self, sender: int) -> None:
        """Take in that a connection has ended: a task that stood at a gate over it is lost."""
        self.leaving.pop(sender, None)
        self.loop.hang_up(sender)
        for key in [key for key, held in self.inside.items() if held.sender == sender]:
            held = self.inside.pop(key)
            self.events.append(GateEvent(kind="lost", key=key, pid=held.pid, at=self._now()))

    def open(self, key: str) -> int:
        """Open one gate; return the pid of the process that stood there."""
        held = self.inside.pop(key)
        self.opened.add(key)
        self._note_opening(key, held.pid)
        self._opened()
        self._let(held.sender, self._token(key, held.pid))
        return held.pid

    def open_all(self) -> None:
        """Open every gate, now and on arrival."""
        self.keep_shut = lambda _: False
        for key in list(self.inside):
            self.open(key)

    def open_exits(self) -> None:
        """Open the exit gates of all workers that stand there."""
        for sender in list(self.leaving):
            self._note_opening("", self.leaving.pop(sender))
            self._answer(sender, GO)
        self._opened()

    def _note_opening(self, key: str, pid: int) -> None:
        self.openings.append(GateOpened(key=key[:200], pid=pid, at=self._now()))

    def arrivals(self) -> list[GateEvent]:
        """Return the messages of tasks, in the order of their arrival."""
        return [event for event in self.events if event.kind in TASKS]

    def insiders(self) -> set[int]:
        """Return the processes that stand at a gate."""
        return {held.pid for held in self.inside.values()}

    def _let(self, sender: int, token: str) -> None:
        self._answer(sender, (GO_LEAVE if self.exit_gates else GO) + b" " + token.encode())

    def _begun_since(self, key: str) -> int:
        """Return how many tasks have begun since the one of this key has; 0 if it has not."""
        return self._begun - self._places[key] - 1 if key in self._places else 0

    def _token(self, key: str, pid: int) -> str:
        """Return the token for the process that has come to this gate.

        The result of its task has to show the token.
        """
        return next(
            (e.token for e in reversed(self.events) if (e.key, e.pid) == (key, pid) and e.token), ""
        )

    def _now(self) -> float:
        return round(time.monotonic() - self._began, 4)
