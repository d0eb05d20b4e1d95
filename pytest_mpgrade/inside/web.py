"""The child's end of the grader's web server: the listening socket, and the addresses of pages."""

from __future__ import annotations

import os
import socket

from pytest_mpgrade.inside.gates import short


def base() -> str:
    """Return the server's address, "" where the run has none.

    In a network namespace the socket is made here, and handed to the grader at once. This is called
    before any student code is loaded.
    """
    kind, _, where = os.environ.pop("MPGRADE_WEB", "").partition(":")
    if kind != "unix":
        return f"http://127.0.0.1:{where}" if kind else ""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection, short(where) as name:
            connection.connect(name)
            socket.send_fds(connection, [b"."], [listening.fileno()])
            connection.recv(1)
        return f"http://127.0.0.1:{listening.getsockname()[1]}"
