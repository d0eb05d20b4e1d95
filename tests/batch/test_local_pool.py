"""Gradings side by side, and signals that come at any moment; real signals, in this process."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from queue import SimpleQueue

import pytest

from pytest_mpgrade.batch.job import Job
from pytest_mpgrade.batch.local_pool import SideBySide
from pytest_mpgrade.batch.signals_as_events import next_event, signals_as_events
from pytest_mpgrade.grade.grading import Grading
from pytest_mpgrade.grade.pytest_run import Stop
from support.running import wait_until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


def jobs(number: int) -> list[Job]:
    """Return so many jobs."""
    names = map(str, range(number))
    return [Job(id=name, path=Path(name), folder=name) for name in names]


def test_signals_are_events_and_raise_nothing() -> None:
    """However many come, each is in the queue; afterwards they raise as before."""
    events: SimpleQueue[int] = SimpleQueue()
    with signals_as_events(events) as handlers:
        for _ in range(100):
            os.kill(os.getpid(), signal.SIGINT)
        assert {next_event(events) for _ in range(events.qsize())} == {signal.SIGINT}
        assert handlers[signal.SIGINT] is signal.default_int_handler
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("times", [1, 2])
def test_interrupt_lets_what_runs_end(times: int) -> None:
    """One interrupt lets gradings end and begins no other, a second one, which may come at once,
    kills them; then the signal's own handler is called.
    """
    stop, ended = Stop(), []
    begun = threading.Semaphore(0)

    def grade(job: Job) -> Grading:
        begun.release()
        assert wait_until(stop.is_set)
        ended.append(job.id)
        raise AssertionError("nobody asks for the results of what was broken off")

    def press() -> None:
        for _ in range(2):
            begun.acquire()
        for _ in range(times):
            os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press, daemon=True)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        list(SideBySide(2, stop)(jobs(5), grade))
    thread.join()
    assert sorted(ended) == ["0", "1"]


def test_consumer_that_leaves_ends_what_runs() -> None:
    """Where the caller breaks off, nothing goes on behind its back."""
    stop = Stop()

    def grade(job: Job) -> Grading:
        if job.id != "0":
            assert wait_until(stop.is_set)
        raise LookupError(job.id)

    with pytest.raises(LookupError, match="0"):
        list(SideBySide(2, stop)(jobs(3), grade))
    assert stop.is_set()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
