"""Starts the processes of servers: on Linux forked from one that has imported all, see `zygote`.

Elsewhere, and where that cannot be, a server is a new interpreter.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from typing import IO, Protocol

from pytest_mpgrade.isolation import confine
from pytest_mpgrade.run.protocol import ORDER_BYTES, Fork, Forked, Reap, bytes_of, forked_in
from pytest_mpgrade.system import log_lock, process_groups
from pytest_mpgrade.system.linux import procfs

_SECONDS = 10.0
"""Seconds in which an order is carried out; the first waits for the zygote's imports."""
_UNKNOWN = 1
"""The exit status of a server that has ended and was reaped by somebody else."""


class ServerProcess(process_groups.Leader, Protocol):
    """A server's process; it leads a group, to which its supervisor belongs."""

    stdin: IO[bytes] | None
    stdout: IO[bytes] | None


def start(errors: int, *, notebooks: bool) -> ServerProcess:
    """Start a server that writes errors into that open file.

    One for *notebooks* will be asked to execute some. Raises OSError where no process can be
    started.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            return _zygote().fork(errors, notebooks=notebooks)
    return _interpreter("server", subprocess.PIPE, errors)


def _interpreter(module: str, stdin: int, errors: int) -> subprocess.Popen[bytes]:
    """Start a module of the supervisor's room."""
    process = subprocess.Popen(
        [sys.executable, "-I", "-m", f"pytest_mpgrade.run.supervisor.{module}"],
        stdin=stdin,
        stdout=subprocess.PIPE if stdin == subprocess.PIPE else subprocess.DEVNULL,
        stderr=errors,
        pass_fds=log_lock.inherited(),
        start_new_session=True,
    )
    _put_first(process.pid)
    return process


def _put_first(pid: int) -> None:
    """Give a process priority, so that those that it watches cannot starve it.

    This needs root. `isolation/confine.py` takes the priority from student code.
    """
    if hasattr(os, "setpriority"):
        with contextlib.suppress(OSError):
            os.setpriority(
                os.PRIO_PROCESS, pid, os.getpriority(os.PRIO_PROCESS, pid) - confine.AHEAD
            )


class Zygote:
    """The grader's end of the process that servers are forked from."""

    def __init__(self) -> None:
        self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._process = _interpreter("zygote", theirs.fileno(), subprocess.DEVNULL)
        except OSError:
            self._orders.close()
            raise
        finally:
            theirs.close()
        self._orders.settimeout(_SECONDS)
        self._lock = threading.Lock()
        self._asked = 0
        self._pids: dict[int, int] = {}

    def works(self) -> bool:
        """Tell whether it has not ended."""
        return self._process.poll() is None

    def fork(self, errors: int, *, notebooks: bool) -> ForkedServer:
        """Have a server forked; do not wait for it."""
        requests, stdin = os.pipe()
        stdout, reports = os.pipe()
        try:
            with self._lock:
                self._asked += 1
                order = Fork(number=self._asked, notebooks=notebooks)
                socket.send_fds(self._orders, [bytes_of(order)], [requests, reports, errors])
        except OSError:
            os.close(stdin)
            os.close(stdout)
            raise
        finally:
            os.close(requests)
            os.close(reports)
        return ForkedServer(self, order.number, os.fdopen(stdin, "wb"), os.fdopen(stdout, "rb"))

    def pid(self, number: int) -> int:
        """Return the process of the server that was asked for by that number.

        Raises OSError where there is none.
        """
        with self._lock:
            while number not in self._pids:
                answer = self._answer()
                self._pids[answer.number] = answer.pid
            if self._pids[number] < 0:
                raise ProcessLookupError("no server was forked")
            return self._pids[number]

    def _answer(self) -> Forked:
        self._go_on()
        packet = self._orders.recv(ORDER_BYTES)
        if not packet:
            raise ConnectionError("the process that servers are forked from has ended")
        return forked_in(packet)

    def _go_on(self) -> None:
        process_groups.send(self._process, signal.SIGCONT)  # somebody may have stopped it

    def reap(self, pid: int) -> None:
        """Say that nothing more will be sent to a server, which has ended."""
        with contextlib.suppress(OSError):
            self._orders.send(bytes_of(Reap(pid=pid)))

    def end(self) -> None:
        """End it. Its servers go on, and init reaps them."""
        self._orders.close()
        self._go_on()
        process_groups.exit_status(self._process, _SECONDS)
        process_groups.kill(self._process)


class ForkedServer:
    """A server that was forked from the zygote: no child of ours."""

    def __init__(self, zygote: Zygote, number: int, stdin: IO[bytes], stdout: IO[bytes]) -> None:
        self.returncode: int | None = None
        self.stdin: IO[bytes] | None = stdin
        self.stdout: IO[bytes] | None = stdout
        self._zygote = zygote
        self._number = number

    @property
    def pid(self) -> int:
        """Return its id; raise OSError where it was not forked."""
        return self._zygote.pid(self._number)

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended, and have it reaped.

        Raises TimeoutExpired where it has not ended after so many seconds.
        """
        if self.returncode is None:
            try:
                pid = self.pid
                process_groups.await_end(pid, timeout)
                code = procfs.zombie_status(pid)
            except OSError:
                self.returncode = _UNKNOWN
            else:
                if code is None:
                    raise subprocess.TimeoutExpired("server", timeout or 0.0)
                self.returncode = code
                self._zygote.reap(pid)
        return self.returncode


_started: list[Zygote] = []


def _zygote() -> Zygote:
    """Return the zygote of this process, a new one where it has ended."""
    if not _started or not _started[-1].works():
        _started.append(Zygote())
    return _started[-1]


def end_zygotes() -> None:
    """End what servers are forked from."""
    while _started:
        _started.pop().end()
