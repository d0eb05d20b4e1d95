"""The grader's end of the supervisors' servers: lend one, ask it, take it back, end them all.

The grader shares pipes only with processes that run no student code. It has a deadline of its own
for every request.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import tempfile
import threading
import time

import msgspec

from pytest_mpgrade.errors import BrokenOffError, SupervisorError, SupervisorKilledError
from pytest_mpgrade.records import BrokenOff
from pytest_mpgrade.run.client import server_process
from pytest_mpgrade.run.protocol import (
    BrokenOffReport,
    CallsRequest,
    CellsRequest,
    Guard,
    Part,
    Request,
    line_of,
    report_in,
)
from pytest_mpgrade.system import process_groups, rmtree

_TERM_SECONDS = 10.0
"""Seconds in which a supervisor that was told to end may end the processes that it watches."""
_LAST_SECONDS = 0.6
"""Seconds for a server that is ended in the middle of a run to say where its processes are."""
_LOOK_SECONDS = 1.0
"""Seconds for which a server may stay stopped by a signal."""


class RunServer:
    """One process that makes runs, one at a time; see run/supervisor/server.py."""

    def __init__(self, *, notebooks: bool) -> None:
        # A file and not a pipe: nobody reads it before the server has ended, and a full pipe would
        # block the server.
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the server is hung up
        self._process = server_process.start(self._errors.fileno(), notebooks=notebooks)
        self._told_to_end = False
        self._ending: threading.Thread | None = None

    def tell(self, request: Request) -> None:
        """Send a request that has no report."""
        assert self._process.stdin
        self._process.stdin.write(line_of(request).encode())
        self._process.stdin.flush()

    def ask(self, request: CallsRequest | CellsRequest, seconds: float) -> bytes:
        """Have one request served; raise SupervisorError if there is no report within *seconds*."""
        assert self._process.stdout
        answered = threading.Event()
        threading.Thread(target=self._look_after, args=(answered, seconds), daemon=True).start()
        try:
            self._go_on()  # it may have been stopped while it was idle
            self.tell(request)
            line = self._process.stdout.readline()
        except OSError:
            line = b""
        finally:
            answered.set()
        if not line.endswith(b"\n"):
            ended_by_us = self._told_to_end
            # The server has closed its output: it is ending, or was killed.
            code = process_groups.exit_status(self._process, 1.0)
            self.end()
            if not ended_by_us and code is not None and code < 0:
                raise SupervisorKilledError(f"the supervisors' server was killed by signal {-code}")
            raise SupervisorError(
                f"the supervisor broke: {' | '.join(self._last_words()) or 'no report'}"
            )
        if self._told_to_end:
            _note(line)
        return line

    @property
    def told_to_end(self) -> bool:
        """Tell whether the server can serve no further request."""
        return self._told_to_end

    def hear_out(self) -> None:
        """Take in what a server that was told to end in the middle of a request still reports."""
        assert self._process.stdout
        with contextlib.suppress(OSError, ValueError):
            if select.select([self._process.stdout], [], [], _LAST_SECONDS)[0]:
                _note(self._process.stdout.readline())

    def _look_after(self, answered: threading.Event, seconds: float) -> None:
        """End the server if it has not answered within *seconds*; let a stopped one go on.

        Where nothing keeps signals of student code away, it may stop the supervisor of another run
        of its grading, which then would wait for ever.
        """
        end = time.monotonic() + seconds
        while not answered.wait(max(0.0, min(_LOOK_SECONDS, end - time.monotonic()))):
            if time.monotonic() >= end:
                guard()
                self.end()
                return
            self._go_on()

    def _go_on(self) -> None:
        if hasattr(signal, "SIGCONT"):  # to a process that was not stopped it means nothing
            process_groups.send(self._process, signal.SIGCONT)

    def _last_words(self) -> list[str]:
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace").strip().splitlines()[-6:]

    def tell_to_end(self) -> None:
        """Have the server end, with its supervisor and what that watches; do not wait for it."""
        if not self._told_to_end:
            self._told_to_end = True
            process_groups.send(self._process, signal.SIGTERM)
            self._go_on()

    def end(self) -> None:
        """End the server and its supervisor; kill them if they have not ended after a while."""
        self.tell_to_end()
        process_groups.exit_status(self._process, _TERM_SECONDS)
        if self._ending is None:
            self._ending = process_groups.kill_later(self._process, _TERM_SECONDS)

    def hang_up(self) -> None:
        """Close the server's input, so that it ends; do not wait for it."""
        with contextlib.suppress(OSError, ValueError):
            self.tell(Part())
        for pipe in (self._process.stdin, self._process.stdout, self._errors):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def close(self) -> None:
        """Close the server's input, so that it ends, and wait for that."""
        self.hang_up()
        if self._ending is None:
            process_groups.exit_status(self._process, _TERM_SECONDS)
            process_groups.kill(self._process)


_lock = threading.Lock()
_idle: list[RunServer] = []
_busy: list[RunServer] = []


_broken_off: list[BrokenOff] = []
_interrupted = threading.Event()
"""Set when an interrupt has broken a run off: no other one is begun then."""


def broken_off() -> tuple[BrokenOff, ...]:
    """Return the runs that were broken off in this process, with where their processes were."""
    return tuple(_broken_off)


def _note(line: bytes) -> None:
    """Keep what a server has reported last, if that says where its run was broken off."""
    with contextlib.suppress(msgspec.MsgspecError):
        report = report_in(line)
        if isinstance(report, BrokenOffReport):
            _broken_off.append(report.broken_off)


def ask_server(request: CallsRequest | CellsRequest, seconds: float) -> bytes:
    """Have a request served by an idle server, or by a new one."""
    with _lock:
        if _interrupted.is_set():
            raise BrokenOffError("the grading was broken off")
        server = _idle.pop() if _idle else _new(isinstance(request, CellsRequest))
        _busy.append(server)
    healthy = False
    try:
        report = server.ask(request, seconds)
        healthy = not server.told_to_end
        return report
    except KeyboardInterrupt:
        _interrupted.set()
        _tell_busy_to_end()
        server.hear_out()
        raise
    finally:
        with _lock:
            _busy.remove(server)
            if healthy:
                _idle.append(server)
        if not healthy:
            guard()
            server.end()
            server.close()


def guard() -> None:
    """Keep a server that nobody ends, to remove the temporary folders of this process.

    It does so whatever kills this process. Call this before making such a folder, and before ending
    a server that guards them. Where no further process can be started, none is kept: those that are
    to end have to end all the same.
    """
    with _lock, contextlib.suppress(OSError):
        if not _idle:
            _idle.append(_new(False))


def _new(notebooks: bool) -> RunServer:
    server = RunServer(notebooks=notebooks)
    with contextlib.suppress(OSError):  # it is gone already, as the next request will show
        server.tell(Guard(mark=_mark()))
    return server


def _mark() -> str:
    """Return how the paths of all temporary folders of this process begin."""
    return os.path.join(tempfile.gettempdir(), rmtree.MARK)


def end_busy() -> None:
    """End the servers that are making runs, with the processes that they watch.

    A session calls this when a grading is over.
    """
    for server in _tell_busy_to_end():
        server.end()


def _tell_busy_to_end() -> list[RunServer]:
    """Have the servers end that are making runs; return them.

    Whatever kills this process meanwhile, one that is kept removes its folders.
    """
    with _lock:
        busy = list(_busy)
    if busy:
        guard()
    for server in busy:
        server.tell_to_end()
    return busy


def end_all() -> None:
    """End all servers, after removing what this process has left so far.

    An interrupt may have come just where a folder was made or removed. After this nobody removes
    what this process would leave if it were killed.
    """
    end_busy()
    _interrupted.clear()
    rmtree.remove_all(_mark())
    with _lock:
        idle = list(_idle)
        _idle.clear()
    for server in idle:
        server.hang_up()
    for server in idle:
        server.close()
    server_process.end_zygotes()
