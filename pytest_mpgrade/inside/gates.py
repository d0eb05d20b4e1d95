"""The task's end of the gate socket: a task reports, and waits until the grader opens its gate.

The environment variable MPGRADE_GATE names the socket. Every start method hands it on. It has one
of two forms:

- ``unix:PATH`` is a SOCK_SEQPACKET socket. The kernel tells the grader who sent each message
  (SCM_CREDENTIALS).
- ``auth:HOST:PORT`` is for practice mode where the first form does not exist. MPGRADE_GATE_KEY
  proves that this grading has started the sender. The sender names itself.

Each process and thread has its own connection, because a child must not use its parent's connection
after a fork. Over the first form it waits at first until the grader has met it: without ptrace, the
grader does not know a process that has ended before the grader reads its message.
"""

from __future__ import annotations

import json
import os
import socket
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:  # every spawned worker pays for an import
    from typing import Protocol
else:
    Protocol = object

PASS = b"pass"
"""The answer at a point of a schedule where nobody is to be held, or somebody has been."""
MAX_MESSAGE = 60_000
"""Bytes. A message of a task has some hundred; what is longer is cut off, and then is none."""


class Channel(Protocol):
    """A connection that keeps messages apart."""

    def send(self, data: bytes) -> None:
        """Send one message."""

    def recv(self) -> bytes:
        """Return the next message; b"" at the end."""

    def close(self) -> None:
        """Close the connection."""

    def fileno(self) -> int:
        """Return the number by which an event loop waits for messages."""


class short:  # noqa: N801 - used as a function; contextlib would be one more import in every worker
    """Give the path of a socket a name that fits into sun_path (107 bytes, unix(7)).

    The name goes through a file descriptor of the folder.
    """

    def __init__(self, path: str) -> None:
        self._path, self._folder = path, -1

    def __enter__(self) -> str:
        if len(os.fsencode(self._path)) < 100:
            return self._path
        folder, name = os.path.split(self._path)
        self._folder = os.open(folder, os.O_RDONLY)
        return f"/proc/self/fd/{self._folder}/{name}"

    def __exit__(self, *_: object) -> None:
        if self._folder >= 0:
            os.close(self._folder)


class _Seqpacket:
    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with short(path) as name:
            self._socket.connect(name)
        self.send(json.dumps({"kind": "hello", "pid": os.getpid()}).encode())
        self.recv()

    def send(self, data: bytes) -> None:
        self._socket.send(data)

    def recv(self) -> bytes:
        return self._socket.recv(MAX_MESSAGE)

    def close(self) -> None:
        self._socket.close()

    def fileno(self) -> int:
        return self._socket.fileno()


class _Authenticated:
    def __init__(self, address: str) -> None:
        from multiprocessing.connection import Client

        host, _, port = address.rpartition(":")
        self._connection = Client(
            (host, int(port)), "AF_INET", authkey=os.environ["MPGRADE_GATE_KEY"].encode()
        )

    def send(self, data: bytes) -> None:
        self._connection.send_bytes(data)

    def recv(self) -> bytes:
        try:
            return self._connection.recv_bytes(MAX_MESSAGE)
        except EOFError:
            return b""

    def close(self) -> None:
        self._connection.close()

    def fileno(self) -> int:
        return self._connection.fileno()


def connect() -> Channel:
    """Return a new connection to the grader."""
    kind, _, address = os.environ["MPGRADE_GATE"].partition(":")
    return _Seqpacket(address) if kind == "unix" else _Authenticated(address)


def send_over(channel: Channel, kind: str, **body: str | int) -> None:
    """Send one message over a connection."""
    channel.send(json.dumps({"kind": kind, "pid": os.getpid(), **body}).encode())


_local = threading.local()


def _channel() -> Channel:
    mine: tuple[int, Channel] | None = getattr(_local, "mine", None)
    if mine is None or mine[0] != os.getpid():
        mine = _local.mine = (os.getpid(), connect())
    return mine[1]


def tell(kind: str, **body: str | int) -> None:
    """Send one message and go on."""
    send_over(_channel(), kind, **body)


def ask(kind: str, **body: str | int) -> bytes:
    """Send one message and wait for the grader's answer; ``b""`` when the grader is gone."""
    tell(kind, **body)
    try:
        return _channel().recv()
    except OSError:
        return b""
