"""Threads that a call leaves: whose they are, and that nobody is asked for its stacks while it
runs.
"""

from __future__ import annotations

import sys

import pytest

from pytest_mpgrade import steps
from pytest_mpgrade.records import Ending
from support.running import MakeRuns
from support.runs import encoded

THREADS = """
    import signal
    import threading
    import time

    ASKED = []
    signal.signal(signal.SIGUSR2, lambda *_: ASKED.append(1))

    def nap():
        time.sleep(600)

    def run():
        while True:
            pass

    def wait():
        threading.Event().wait()

    def start(name):
        thread = threading.Thread(target=globals()[name], daemon=True)
        thread.start()
        return (thread,)

    def start_timer():
        threading.Timer(600, print).start()

    def asked():
        return len(ASKED)
"""


@pytest.mark.parametrize("name", ["nap", "run", "wait"])
def test_nobody_is_asked_while_handles_are_held(play: MakeRuns, name: str) -> None:
    """Between the calls of one play no process is asked for its stacks: what runs then could crash
    by that.
    """
    _, started, asked = play(
        THREADS,
        steps.call("start", name, save="it", opaque=True),
        steps.call("asked", same_holdings=True),
    )
    assert [left.kind for left in started.trace.leftovers] == ["thread"]
    assert asked.value == ["int", "0"]


def test_thread_that_runs_is_the_submissions(play: MakeRuns) -> None:
    """A thread that never sleeps is no helper that waits, and is not asked for its stack."""
    text = THREADS.replace("return (thread,)", "return None")
    _, started, asked = play(
        text, steps.call("start", "run"), steps.call("asked", same_holdings=True)
    )
    assert [(left.kind, left.own) for left in started.trace.leftovers] == [("thread", True)]
    assert asked.value == ["int", "0"]


def test_thread_of_a_library_is_told_apart(play: MakeRuns) -> None:
    """A sleeping thread counts as the submission's where its stack has a line of it."""
    text = "\n".join(line for line in THREADS.splitlines() if "SIGUSR2" not in line)
    _, timer = play(text, steps.call("start_timer"))
    assert [(left.kind, left.own) for left in timer.trace.leftovers] == [("thread", False)]
    _, own = play(text.replace("return (thread,)", "return None"), steps.call("start", "nap"))
    assert [(left.kind, left.own) for left in own.trace.leftovers] == [("thread", True)]


CROWD = """
    import sys
    import threading

    def crowd(count):
        all_started = threading.Event()
        def spin():
            all_started.wait()
            while True:
                pass
        for _ in range(count):
            threading.Thread(target=spin, daemon=True).start()
        all_started.set()
        return sys.getswitchinterval()

    def interval(seconds=0.0):
        before = sys.getswitchinterval()
        if seconds:
            sys.setswitchinterval(seconds)
        return before
"""


def test_threads_that_spin_do_not_keep_a_return_back(play: MakeRuns) -> None:
    """A call that leaves a crowd of spinning threads has returned in time all the same: the grader
    does not wait for 5 ms of each before it can say so.
    """
    _, run = play(CROWD, steps.call("crowd", 150), seconds=4.0)
    assert run.ending is Ending.RETURNED, run.why
    assert {left.kind for left in run.trace.leftovers} == {"thread"}


def test_switch_interval_is_the_submissions(play: MakeRuns) -> None:
    """A submission meets the interpreter's own switch interval, or the one that it has set."""
    usual = sys.getswitchinterval()
    calls = [steps.call("interval", 0.25), steps.call("interval"), steps.call("interval", usual)]
    _, *runs = play(CROWD, *calls)
    assert [run.value for run in runs] == [encoded(each) for each in (usual, 0.25, 0.25)]
