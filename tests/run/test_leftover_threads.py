"""Threads that a call leaves: whose they are, and that nobody is asked for its stacks while it
runs.
"""

from __future__ import annotations

import sys

import pytest

from pytest_mpgrade import checks, steps
from pytest_mpgrade.judge.attribution import unreturned
from pytest_mpgrade.records import Concern, Ending, Outcome, Phase
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
    assert asked.value == 0


def test_thread_that_runs_is_the_submissions(play: MakeRuns) -> None:
    """A thread that never sleeps is no helper that waits, and is not asked for its stack."""
    text = THREADS.replace("return (thread,)", "return None")
    _, started, asked = play(
        text, steps.call("start", "run"), steps.call("asked", same_holdings=True)
    )
    assert [(left.kind, left.own) for left in started.trace.leftovers] == [("thread", True)]
    assert asked.value == 0


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

    def compute():
        while True:
            pass

    RESTS = threading.Event()

    def leaves_one_that_spins():
        def spin():
            while not RESTS.is_set():
                pass
            threading.Event().wait()
        threading.Thread(target=spin, daemon=True).start()

    def lets_it_rest_and_waits():
        RESTS.wait(0.3)
        RESTS.set()
        threading.Event().wait()

    class Computes:
        def __del__(self):
            compute()

    def computes_when_collected(threads=0):
        crowd(threads)
        return Computes()

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
    assert [run.encoded for run in runs] == [encoded(each) for each in (usual, 0.25, 0.25)]


def test_call_beside_threads_of_an_earlier_one(play: MakeRuns) -> None:
    """A call that computes to its limit beside threads that an earlier one has left says nothing of
    itself: what is left is the fault.
    """
    _, left, late = play(CROWD, steps.call("crowd", 2), steps.call("compute"), seconds=2.0)
    assert late.ending in (Ending.TIMED_OUT, Ending.HUNG)  # by the limit, or since it spins
    assert late.beside == left
    finding = checks.comes_back()(late)
    assert (finding.outcome, finding.undecided_by) == (Outcome.SKIPPED, "nothing_else_left")
    assert finding.instead is not None
    assert finding.instead.concern is Concern.CLEANUP


def test_call_that_waits_beside_a_thread_has_hung(play: MakeRuns) -> None:
    """A call that waits for ever has hung, whatever a thread of an earlier one did meanwhile."""
    calls = ("leaves_one_that_spins", "lets_it_rest_and_waits")
    _, left, hung = play(CROWD, *map(steps.call, calls))
    assert [item.kind for item in left.trace.leftovers] == ["thread"]
    assert (hung.ending, hung.beside) == (Ending.HUNG, None), hung.why


def test_call_beside_no_thread(play: MakeRuns) -> None:
    """A call that reaches its limit by itself has no result."""
    _, _, late = play(CROWD, steps.call("interval"), steps.call("compute"), seconds=2.0)
    assert late.beside is None
    assert checks.comes_back()(late).undecided_by == "values_in_any_order"


@pytest.mark.parametrize(
    ("threads", "concern", "said"),
    [
        (2, Concern.CLEANUP, "2 x thread that the call had left took turns with it"),
        (0, Concern.RESULTS, "its process came no further"),
    ],
)
def test_return_after_which_the_process_comes_no_further(
    play: MakeRuns, threads: int, concern: Concern, said: str
) -> None:
    """A call that had returned is not said to have never come back; the threads that it has left
    are blamed where there are some.
    """
    _, run = play(CROWD, steps.call("computes_when_collected", threads), seconds=2.0)
    assert (run.ending, run.phase) == (Ending.TIMED_OUT, Phase.AFTER_RETURN)
    verdict = unreturned(run)
    assert verdict.concern is concern
    assert said in verdict.message
    assert "had returned" in verdict.message
