"""A web server on loopback for one run: its requests stand at gates, as tasks do.

It runs in the supervisor, where no student code is. In a network namespace only a process inside
can make its listening socket: the child does that before it loads the submission, and hands the
socket over (inside/web.py). Elsewhere the supervisor makes the socket itself.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import queue
import select
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import unquote

from pytest_mpgrade.inside.gates import short
from pytest_mpgrade.records import WebPage
from pytest_mpgrade.run.observe.gate_socket import GateServer, Message

HELD_SECONDS = 300.0
"""Seconds for which a request may stand at its gate: no run takes as long."""
HANDOVER_SECONDS = 60.0
"""Seconds for the child to hand over the socket: its interpreter has to start before."""
MOST_CONNECTIONS = 200
"""Connections at a time, each with a thread, also of a submission that floods the server."""
PIECE = 1000
"""Bytes of a slow body that are sent at once."""

_Stage = Literal["reading", "standing", "answering"]
"""A connection's request is waited for, stands at its gate, or is for us to answer."""


class Web:
    """The server of one run. With *private* the child makes the socket; see the module."""

    def __init__(self, pages: Sequence[WebPage], folder: str, *, private: bool) -> None:
        # Libraries write the same path in different ways; RFC 3986, 6.2.2.2.
        self.pages = {unquote(page.path): page for page in pages}
        self._arrived: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._gates: dict[int, tuple[threading.Event, socket.socket]] = {}
        self.stages: dict[socket.socket, _Stage] = {}  # of each connection, until it is closed
        self.moving = threading.Lock()  # held where two things have to change at once
        self._numbers = itertools.count(1)
        self._server: _Server | None = None
        self.port = 0  # not known before the child has made the socket
        self._listener: socket.socket | None = None
        if private:
            path = os.path.join(folder, "web")
            self.address = f"unix:{path}"
            self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            with short(path) as name:
                self._listener.bind(name)
            os.chmod(path, 0o666)  # noqa: S103 - the child may run as another user
            self._listener.listen(1)
            self._listener.settimeout(HANDOVER_SECONDS)
            threading.Thread(target=self._receive, daemon=True).start()
        else:
            self._serve(socket.create_server(("127.0.0.1", 0), backlog=64))
            self.address = f"port:{self.port}"

    def _receive(self) -> None:
        """Take the socket that the child hands over, and nothing after it."""
        assert self._listener is not None
        with contextlib.suppress(OSError), self._listener:
            connection, _ = self._listener.accept()
            with connection:
                connection.settimeout(HANDOVER_SECONDS)
                _, files, _, _ = socket.recv_fds(connection, 1, 1)
                self._serve(socket.socket(fileno=files[0]))
                connection.send(b".")

    def _serve(self, listening: socket.socket) -> None:
        handler = type("Handler", (_Handler,), {"web": self})
        server = _Server(("127.0.0.1", 0), handler, bind_and_activate=False)
        server.web = self
        server.socket.close()
        listening.setblocking(False)
        server.socket = listening
        self.port = listening.getsockname()[1]
        self._server = server
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def base(self) -> str:
        """The address of the server, as those who use it have it."""
        return f"http://127.0.0.1:{self.port}"

    def taken(self) -> Iterator[Message]:
        """Yield the requests that have come, and those that are over, since the last time."""
        with contextlib.suppress(queue.Empty):
            while True:
                yield self._arrived.get_nowait()

    @contextlib.contextmanager
    def standing(self, path: str, connection: socket.socket) -> Iterator[None]:
        """Hold a request at its gate; go on when that opens."""
        number, gate = -next(self._numbers), threading.Event()
        self._gates[number] = gate, connection
        with self.moving:
            self.stages[connection] = "standing"
            self._arrived.put(Message(sender=number, pid=0, kind="gate", key=path))
        try:
            gate.wait(HELD_SECONDS)
            yield
        finally:
            self._gates.pop(number, None)
            self._arrived.put(Message(sender=number, pid=0))

    def release(self, number: int) -> None:
        """Open the gate at which a request stands."""
        held = self._gates.get(number)
        if held is not None:
            gate, connection = held
            self.stages[connection] = "answering"  # before its thread runs again
            gate.set()

    def owes(self) -> bool:
        """Tell whether a thread of the server has yet to read or to answer something.

        On a busy machine it comes to that late, and who waits for it looks as if for ever.
        What has come is in a socket, then in a stage: in this order they are looked at, so that
        nothing is missed that moves on meanwhile.
        """
        if self._server is None:
            return False
        before = dict(self.stages)
        waiting = [self._server.socket]
        waiting += [each for each, stage in before.items() if stage == "reading"]
        try:
            if select.select(waiting, [], [], 0)[0]:
                return True
        except (OSError, ValueError):  # one was closed meanwhile
            return True
        with self.moving:
            if self.stages != before or not self._arrived.empty():
                return True
        return "answering" in before.values()

    def close(self) -> None:
        """End the server, and let its requests go."""
        if self._listener is not None:
            self._listener.close()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        for gate, _ in list(self._gates.values()):
            gate.set()


class _Server(ThreadingHTTPServer):
    """Has a thread for each connection, and takes no more than it can hold."""

    daemon_threads = True
    web: Web

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection; its thread has to start before it can read."""
        with self.web.moving:
            request, address = self.socket.accept()
            self.web.stages[request] = "answering"
        return request, address

    def shutdown_request(self, request: Any) -> None:
        """Close a connection, also one for which no thread could be started."""
        super().shutdown_request(request)
        self.web.stages.pop(request, None)

    def verify_request(self, *_: Any) -> bool:
        """Tell whether a connection is taken; the others are closed at once."""
        return threading.active_count() < MOST_CONNECTIONS


class _Requests(io.RawIOBase):
    """What a client sends. Nothing is taken from the socket before the stage says so."""

    def __init__(self, connection: socket.socket, web: Web) -> None:
        self._connection, self._web = connection, web

    def readable(self) -> bool:
        """Tell that this can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Wait until the client has sent something, also the rest of a request; take that."""
        self._web.stages[self._connection] = "reading"
        if not select.select([self._connection], [], [], HELD_SECONDS)[0]:
            raise TimeoutError
        self._web.stages[self._connection] = "answering"
        return self._connection.recv_into(buffer)


class _Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection."""

    web: Web
    close_connection: bool
    rfile: io.BufferedReader
    timeout = HELD_SECONDS

    def setup(self) -> None:
        """Read through the stages."""
        super().setup()
        self.rfile = io.BufferedReader(_Requests(self.connection, self.web))

    def do_GET(self) -> None:
        """Answer one request, when its gate is open."""
        page = self.web.pages.get(unquote(self.path))
        if page is None:
            self._answer(404, b"no such page")
            return
        body = page.body.encode()
        if page.kind == "late":
            self._head(page.status, len(body))
        with self.web.standing(page.path, self.connection):
            if page.kind == "late":
                self._body(body)
            elif page.kind == "reset":
                self.close_connection = True
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.connection.close()
            elif page.kind == "redirect":
                self._answer(page.status, b"", location=page.body)
            else:
                self._answer(page.status, body, step=PIECE if page.kind == "slow" else 0)

    def _answer(self, status: int, body: bytes, *, location: str = "", step: int = 0) -> None:
        self._head(status, len(body), location)
        self._body(body, step)

    def _head(self, status: int, length: int, location: str = "") -> None:
        with contextlib.suppress(OSError):  # a client may be gone
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(length))
            self.send_header("Connection", "close")
            self.end_headers()

    def _body(self, body: bytes, step: int = 0) -> None:
        """Send a body, in pieces of *step* bytes or as a whole."""
        step = step or max(1, len(body))
        with contextlib.suppress(OSError):
            for start in range(0, len(body), step):
                self.wfile.write(body[start : start + step])
                self.wfile.flush()

    def log_message(self, *_: Any) -> None:
        """Write no log."""

    def handle(self) -> None:
        """Serve a connection; one that a client has reset is no error."""
        with contextlib.suppress(OSError, ValueError):
            super().handle()


class ServerWithWeb:
    """A gate server to which the requests to a web server come, too, as from the caller."""

    def __init__(self, inner: GateServer, web: Web) -> None:
        self._inner, self._web, self._caller = inner, web, 0
        self.address, self.key = inner.address, inner.key
        self.attests, self.lag = inner.attests, inner.lag

    def poll(self, seconds: float) -> Iterator[Message]:
        """Yield what has come in, waiting up to *seconds* for the first message of a process."""
        for message in self._inner.poll(seconds):
            if message.kind == "ready" and not self._caller:
                self._caller = message.pid  # no student code has run by then
            yield message
        for message in self._web.taken():
            yield replace(message, pid=self._caller if message.kind else 0)

    def answer(self, sender: int, data: bytes) -> None:
        """Answer a process, or open the gate of a request."""
        if sender < 0:
            self._web.release(sender)
        else:
            self._inner.answer(sender, data)

    def owes(self) -> bool:
        """Tell whether a thread of ours has yet to read or to answer something."""
        return self._inner.owes() or self._web.owes()

    def close(self) -> None:
        """Close all connections."""
        self._inner.close()
        self._web.close()
