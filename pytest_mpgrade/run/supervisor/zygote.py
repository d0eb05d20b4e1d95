"""The process that servers are forked from; it has imported everything that a run needs.

A grading makes a dozen runs at a time, each by a server of its own, and the imports of a server
take longer than many a run. So one process imports, serves nothing itself, and forks.

Its standard input is a Unix socket (SOCK_SEQPACKET, unix(7)), from which it takes one order after
the other: see `Fork` and `Reap` in run/protocol.py. Whoever has sent them keeps the other end. A
server remains a zombie until it is told to reap it: only then may the kernel give its id away.
"""

from __future__ import annotations

import contextlib
import gc
import os
import socket
from collections.abc import Sequence

from pytest_mpgrade.run.protocol import FORK_FILES, ORDER_BYTES, Fork, Forked, bytes_of, order_in
from pytest_mpgrade.run.supervisor import server


def main() -> None:
    """Serve orders until the grader has gone; in a forked process, be a server until it ends."""
    server.load_for_calls()
    with socket.socket(fileno=0) as orders:
        while True:
            line, files, *_ = socket.recv_fds(orders, ORDER_BYTES, FORK_FILES)
            if not line:
                return
            order = order_in(line)
            if not isinstance(order, Fork):
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(order.pid, 0)
            elif _fork(order, files, orders):
                orders.detach()  # the server's standard input has taken its place
                break
    server.main()


def _fork(order: Fork, files: Sequence[int], orders: socket.socket) -> bool:
    """Fork a server with these files, and say how that went; return True in the server itself."""
    if order.notebooks:
        server.load_for_cells()
    gc.freeze()  # servers need not copy what a collection of garbage would touch
    try:
        pid = os.fork()
    except OSError as error:
        os.write(files[-1], f"no server can be forked: {error}".encode())
        pid = -1
    if pid == 0:
        os.setpgid(0, 0)  # a signal to the group means one server, with its supervisor
        for number, file in enumerate(files):
            os.dup2(file, number)
    elif pid > 0:
        # By both, as shells do it: neither may go on before it is so. The server is perhaps gone.
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)
    for file in files:
        os.close(file)
    if pid:
        orders.send(bytes_of(Forked(number=order.number, pid=pid)))
    return pid == 0


if __name__ == "__main__":
    main()
