"""A tracing thread that is late on purpose: runs are supervised in a process of ours, which holds
it back.
"""

from __future__ import annotations

import os
import random
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from unittest import mock

from pytest_mpgrade.run.observe.gate_socket import AttestedServer, Message
from pytest_mpgrade.run.observe.linux import LinuxObserver
from pytest_mpgrade.run.protocol import CallsRequest, CellsRequest, line_of
from pytest_mpgrade.run.supervisor import supervise
from pytest_mpgrade.system.linux import ptrace

_STOPS = (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)
_EVENTS = {
    ptrace.EVENT_FORK: "fork",
    ptrace.EVENT_VFORK: "vfork",
    ptrace.EVENT_CLONE: "clone",
    ptrace.EVENT_EXEC: "exec",
}


def supervised_here(
    prepare: Callable[[], None],
) -> Callable[[CallsRequest | CellsRequest, float], bytes]:
    """Return what takes the place of `servers.ask_server`: a request has a fork of this process,
    after *prepare*.
    """

    def ask(request: CallsRequest | CellsRequest, _: float) -> bytes:
        there, here = os.pipe()
        pid = os.fork()
        if pid == 0:
            _serve(request, here, prepare)
        os.close(here)
        with open(there, "rb") as pipe:
            line = pipe.read()
        os.waitpid(pid, 0)
        return line

    return ask


def _serve(request: CallsRequest | CellsRequest, here: int, prepare: Callable[[], None]) -> None:
    try:
        prepare()
        with open(here, "w", encoding="utf-8") as pipe:
            pipe.write(line_of(supervise(request)))
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)


def kind_of(status: int) -> str:
    """Return which kind of event a status of wait4(2) tells."""
    if not os.WIFSTOPPED(status):
        return "exit"
    event, sent = status >> 16, os.WSTOPSIG(status)
    if event == ptrace.EVENT_STOP:
        return "group stop" if sent in _STOPS else "stop"
    return _EVENTS.get(event, "signal")


def late_at(kind: str, seconds: float, *, in_hand: bool) -> None:
    """Have the tracing thread be late by *seconds* at each event of a kind.

    *in_hand*: after it has taken the event from the kernel, and before it has done anything about
    it; else before that.
    """

    def wait() -> bool:
        if not ptrace.await_any():
            return False
        if _next_kind() == kind:
            time.sleep(seconds)
        return True

    def take() -> ptrace.Happened | None:
        happened = ptrace.take_any()
        if happened and kind_of(happened[1]) == kind:
            time.sleep(seconds)
        return happened

    if in_hand:
        LinuxObserver.take = staticmethod(take)
    else:
        LinuxObserver.wait = staticmethod(wait)


def late_at_random(draw: random.Random, share: float, most: float) -> None:
    """Have the tracing thread be late by up to *most* seconds at a *share* of events, before or
    after taking one.
    """

    def doze() -> None:
        if draw.random() < share / 2:
            time.sleep(draw.uniform(0.0, most))

    def wait() -> bool:
        found = ptrace.await_any()
        doze()
        return found

    def take() -> ptrace.Happened | None:
        happened = ptrace.take_any()
        doze()
        return happened

    LinuxObserver.wait, LinuxObserver.take = staticmethod(wait), staticmethod(take)


def _next_kind() -> str:
    """Return the kind of the event that waits to be taken in (waitid(2) tells a stop's in another
    form).
    """
    found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT | os.WNOHANG | ptrace.WALL)
    if found is None:
        return ""
    return kind_of(found.si_status << 8 | 0x7F) if found.si_code == os.CLD_TRAPPED else "exit"


def late_at_messages(seconds: float) -> None:
    """Have the grader be late by *seconds* whenever it looks for messages."""
    poll = AttestedServer.poll

    def late(server: AttestedServer, most: float) -> Iterator[Message]:
        time.sleep(seconds)
        yield from poll(server, most)

    mock.patch.object(AttestedServer, "poll", late).start()
