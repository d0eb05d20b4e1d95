"""The grader's end of the gate socket: messages with their senders.

In `AttestedServer`, a SOCK_SEQPACKET socket with a path, the kernel adds the sender's pid in our
pid namespace to every message (SO_PASSCRED, unix(7)). In `AuthenticatedServer`, a TCP socket on
loopback, clients prove that they know the run's key, and the sender names itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import socket
import struct
import sys
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Protocol

import msgspec

from pytest_mpgrade.inside.gates import MAX_MESSAGE, short

if TYPE_CHECKING:
    from multiprocessing.connection import Connection


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message. Without a kind it is the end of a connection."""

    sender: int  # number of the connection
    pid: int
    kind: str = ""
    key: str = ""  # of the task that the message is about
    after: str = ""  # of the task that another asks about
    ok: bool = False  # the submission could be imported
    raised: bool = False  # the call has raised
    none: bool = False  # the call has returned None


class GateServer(Protocol):
    """Receives messages from many connections, and answers each."""

    address: str
    key: str
    attests: bool  # the kernel vouches for the senders' pids
    lag: float  # seconds until a sent message can be read

    def poll(self, seconds: float) -> Iterator[Message]:
        """Yield the messages that have come in, waiting up to *seconds* for the first."""

    def answer(self, sender: int, data: bytes) -> None:
        """Answer on a connection; one that is gone is no error."""

    def owes(self) -> bool:
        """Tell whether a thread of ours has yet to read or to answer something.

        Who waits for that looks as one does that waits for ever.
        """

    def close(self) -> None:
        """Close all connections."""


NO_MESSAGE = "no message"
"""The kind of a message that cannot be read, since student code may send anything."""
MOST_CONNECTIONS = 600
"""Connections at a time. There are several for each process that is allowed, and they must be fewer
than the files that a process may open.
"""


class _Said(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The form of a message that inside/gates.py sends."""

    kind: Annotated[str, msgspec.Meta(min_length=1)]
    pid: int = 0  # in the sender's own pid namespace
    key: str = ""
    after: str = ""
    step: int = 0
    ok: bool = False
    raised: bool = False
    none: bool = False


def _parse(sender: int, pid: int | None, data: bytes) -> Message:
    """Return the message in *data*. Without an attested *pid*, it has the sender's own."""
    try:
        said = msgspec.convert(json.loads(data), type=_Said)
    except (ValueError, RecursionError):
        return Message(sender=sender, pid=pid or 0, kind=NO_MESSAGE)
    return Message(
        sender=sender,
        pid=said.pid if pid is None else pid,
        kind=said.kind,
        key=said.key,
        after=said.after,
        ok=said.ok,
        raised=said.raised,
        none=said.none,
    )


class AttestedServer:
    """See the module's docstring. The student's processes have to be able to reach *folder*."""

    key = ""
    attests = True
    lag = 0.0

    def __init__(self, folder: str) -> None:
        path = os.path.join(folder, "gate")
        self.address = f"unix:{path}"
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # Before listen(): so accepted connections have the option from their first message on.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        with short(path) as name:
            self._listener.bind(name)
        os.chmod(path, 0o666)  # noqa: S103 - the student's processes may run as another user
        self._listener.listen(512)
        self._listener.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._open: dict[int, socket.socket] = {}
        self._numbers: dict[int, int] = {}
        self._count = 0

    def poll(self, seconds: float) -> Iterator[Message]:
        """Yield the messages that have come in, also over new connections.

        A process that has ended may have sent its only message over a new connection.
        """
        ready = self._selector.select(seconds)
        if any(chosen.fileobj is self._listener for chosen, _ in ready):
            self._accept()
            ready = self._selector.select(0)
        for chosen, _ in ready:
            if chosen.fileobj is not self._listener:
                assert isinstance(chosen.fileobj, socket.socket)
                yield from self._receive(chosen.fileobj)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            if len(self._open) >= MOST_CONNECTIONS:
                connection.close()  # a process that floods us gets no connection
                continue
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            connection.setblocking(False)
            self._count += 1
            self._open[self._count] = connection
            self._numbers[connection.fileno()] = self._count
            self._selector.register(connection, selectors.EVENT_READ)

    def _receive(self, connection: socket.socket) -> Iterator[Message]:
        number = self._numbers[connection.fileno()]
        for _ in range(200):
            try:
                data, ancillary, _, _ = connection.recvmsg(
                    MAX_MESSAGE, socket.CMSG_SPACE(struct.calcsize("iII"))
                )
            except BlockingIOError:
                return
            except OSError:
                data, ancillary = b"", []
            if not data:
                self._forget(number)
                yield Message(sender=number, pid=0)
                return
            pid = _attested(ancillary)
            if pid:
                yield _parse(number, pid, data)

    def _forget(self, number: int) -> None:
        connection = self._open.pop(number)
        self._selector.unregister(connection)
        del self._numbers[connection.fileno()]
        connection.close()

    def answer(self, sender: int, data: bytes) -> None:
        """Answer on a connection."""
        if sender in self._open:
            with contextlib.suppress(OSError):
                self._open[sender].send(data)

    def owes(self) -> bool:
        """Tell whether a thread of ours has yet to answer: there is none."""
        return False

    def close(self) -> None:
        """Close all connections."""
        for connection in self._open.values():
            connection.close()
        self._listener.close()
        self._selector.close()


def _attested(ancillary: list[tuple[int, int, bytes]]) -> int:
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
            return int(struct.unpack("iII", data[: struct.calcsize("iII")])[0])
    return 0


class AuthenticatedServer:
    """See the module's docstring."""

    attests = False
    lag = 0.02

    def __init__(self) -> None:
        from multiprocessing.connection import Listener

        self.key = os.urandom(16).hex()
        self._listener = Listener(
            ("127.0.0.1", 0), "AF_INET", backlog=512, authkey=self.key.encode()
        )
        host, port = self._listener.address
        self.address = f"auth:{host}:{port}"
        self._new: deque[Connection[object, object]] = deque()
        self._open: dict[int, Connection[object, object]] = {}
        self._count = 0
        self._closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        """Accept connections, in a thread of its own.

        A client that never answers the challenge must not hold up the others.
        """
        while not self._closed:
            try:
                self._new.append(self._listener.accept())
            except Exception:  # noqa: S112 - a failed challenge, a closed listener
                continue

    def poll(self, seconds: float) -> Iterator[Message]:
        """Yield what has come in."""
        from multiprocessing.connection import wait

        while self._new:
            self._count += 1
            self._open[self._count] = self._new.popleft()
        numbers = {id(connection): number for number, connection in self._open.items()}
        for ready in wait(list(self._open.values()), min(seconds, 0.02)):
            yield from self._receive(numbers[id(ready)])

    def _receive(self, number: int) -> Iterator[Message]:
        connection = self._open[number]
        for _ in range(200):
            try:
                if not connection.poll(0):
                    return
                data = connection.recv_bytes(MAX_MESSAGE)
            except (OSError, EOFError):
                self._open.pop(number).close()
                yield Message(sender=number, pid=0)
                return
            yield _parse(number, None, data)

    def answer(self, sender: int, data: bytes) -> None:
        """Answer on a connection."""
        if sender in self._open:
            with contextlib.suppress(OSError):
                self._open[sender].send_bytes(data)

    def owes(self) -> bool:
        """Tell whether a thread of ours has yet to answer: there is none."""
        return False

    def close(self) -> None:
        """Close all connections."""
        self._closed = True
        for connection in self._open.values():
            connection.close()
        self._listener.close()


def serve(observer: str, folder: str) -> GateServer:
    """Return the server that fits this platform.

    The student's processes have to be able to reach *folder*.
    """
    if observer == "psutil" or not sys.platform.startswith("linux"):
        return AuthenticatedServer()
    return AttestedServer(folder)
