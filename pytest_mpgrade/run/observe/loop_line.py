"""The connection over which the event loop of an awaited call answers; see inside/awaiting.py.

The loop is asked whether it turns. Each question has a number that only its answer can have.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from pytest_mpgrade.run.observe.gate_socket import Message


class LoopLine:
    """The line to the event loop of one call. *answer* sends data over a connection."""

    def __init__(self, answer: Callable[[int, bytes], None]) -> None:
        self.turns = 0  # questions that the loop has answered
        self.over = False  # what a loop has awaited has come
        self._answer = answer
        self._sender = 0  # 0: no loop listens
        self._number = ""

    def begin(self) -> None:
        """Begin a new call, which has a new loop."""
        self.turns, self.over, self._sender, self._number = 0, False, 0, ""

    def hear(self, message: Message) -> None:
        """Take in a message of the calling process."""
        if message.kind == "loop":
            self._sender = message.sender
        elif message.sender == self._sender and message.key == self._number != "":
            self.turns, self._number = self.turns + 1, ""

    def hang_up(self, sender: int) -> None:
        """Take in that a connection has ended: a loop hangs up when what it awaits has come."""
        if sender == self._sender:
            self._sender, self.over = 0, True

    @property
    def listens(self) -> bool:
        """Whether a loop awaits a call."""
        return self._sender > 0

    def ask(self) -> None:
        """Ask the loop whether it turns."""
        self._number = secrets.token_hex(8)
        self._answer(self._sender, f"turn {self._number}".encode())

    def cancel(self) -> None:
        """Have the loop cancel the awaited call."""
        self._answer(self._sender, b"cancel")
