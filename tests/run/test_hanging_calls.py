"""Calls that hang, or only seem to: by which rule that is found out; real processes."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from pytest_mpgrade import checks, steps, tasks
from pytest_mpgrade.records import Ending, Outcome
from pytest_mpgrade.run.supervisor import after_return
from pytest_mpgrade.student import Student
from support.running import MakeRuns
from support.runs import METHODS, PROC, encoded, sentence

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="observes with ptrace and /proc"
)


@METHODS
def test_wait_that_a_childs_end_has_interrupted_is_proven(play: MakeRuns, method: str) -> None:
    """The end of one worker interrupts the wait of the parent for another one (SIGCHLD), which the
    kernel then begins anew: a hang is proven all the same.
    """
    text = """
        import multiprocessing as mp
        from multiprocessing.connection import wait

        def worker(lock):
            with lock:
                pass

        def f():
            stuck, free = mp.Lock(), mp.Lock()
            stuck.acquire()
            free.acquire()
            crew = [mp.Process(target=worker, args=(each,)) for each in (stuck, free)]
            for p in crew:
                p.start()
            free.release()
            wait([crew[0].sentinel])
    """
    run = play(text, steps.call("f"), method=method)[1]
    assert (run.ending, run.why) == (Ending.HUNG, "proof")
    assert " to end, at cv_funcs.py:16: " in sentence(run, "the parent")


@METHODS
def test_deadlock_on_a_queue_is_proven(play: MakeRuns, method: str) -> None:
    """A worker that waits for 'STOP' and a parent that joins it: proven, both named with their
    lines.
    """
    text = """
        import multiprocessing as mp

        def worker(todo):
            while todo.get() != "STOP":
                pass

        def f():
            todo = mp.Queue()
            p = mp.Process(target=worker, args=(todo,))
            p.start()
            p.join()
    """
    run = play(text, steps.call("f"), method=method)[1]
    assert (run.ending, run.why) == (Ending.HUNG, "proof")
    worker, parent = sentence(run, "worker 1"), sentence(run, "the parent")
    pids = {stuck.name: stuck.pid for stuck in run.trace.stuck}
    assert (
        worker == f"worker 1 (pid {pids['worker 1']}) waits for a task or 'STOP' that never comes, "
        'at cv_funcs.py:4: while todo.get() != "STOP":'
    )
    assert parent.startswith(f"the parent (pid {run.trace.caller}) waits ")
    assert parent.endswith(" to end, at cv_funcs.py:11: p.join()")
    if method != "forkserver":  # there the parent waits at a pipe, which tells no pid
        assert f"for worker 1 (pid {pids['worker 1']}) to end" in parent
    assert [(one.born, one.later) for one in run.trace.processes if not one.helper] == [
        (method, "alive")
    ]


@METHODS
def test_what_was_printed_before_a_hang_is_seen(play: MakeRuns, method: str) -> None:
    """Each printed line is written at once, by the parent and by a worker that is killed later; a
    failure shows it, and a check that passes does not.
    """
    text = """
        import multiprocessing as mp

        def worker(todo):
            print("the worker waits")
            todo.get()

        def f():
            print("the parent begins")
            todo = mp.Queue()
            p = mp.Process(target=worker, args=(todo,))
            p.start()
            p.join()
    """
    run = play(text, steps.call("f"), method=method)[1]
    assert run.ending is Ending.HUNG
    assert run.printed.splitlines() == ["the parent begins", "the worker waits"]
    found = checks.workers_are_told_to_stop()(run)
    assert found.outcome is Outcome.FAILED
    assert found.evidence["printed"] == ["the parent begins", "the worker waits"]
    otherwise = checks.comes_back()(run).instead
    assert otherwise is not None
    assert otherwise.evidence["printed"] == found.evidence["printed"]
    passed = replace(run, ending=Ending.RETURNED, trace=replace(run.trace, stuck=()))
    assert "printed" not in checks.comes_back()(passed).evidence


@METHODS
def test_join_before_drain(play: MakeRuns, method: str) -> None:
    """A worker that cannot write its large result while the parent joins it is named as such."""
    text = """
        import multiprocessing as mp

        def worker(done):
            done.put(bytes(3_000_000))

        def f():
            done = mp.Queue()
            p = mp.Process(target=worker, args=(done,))
            p.start()
            p.join()
            return done.get()
    """
    run = play(text, steps.call("f"), method=method)[1]
    assert (run.ending, run.why) == (Ending.HUNG, "proof")
    assert "cannot finish writing: the pipe is full and nobody reads" in sentence(run, "worker 1")
    assert "at cv_funcs.py:10: p.join()" in sentence(run, "the parent")


@pytest.mark.parametrize("second", ["with lock: pass", "lock.acquire()"])
def test_lock_taken_twice(play: MakeRuns, second: str) -> None:
    """A lock that its holder takes again is a hang that is proven and named."""
    text = f"""
        import multiprocessing as mp

        def f():
            lock = mp.Lock()
            with lock:
                {second}
    """
    run = play(text, steps.call("f"))[1]
    assert (run.ending, run.why) == (Ending.HUNG, "proof")
    assert "waits for a lock that nobody releases, at cv_funcs.py:6:" in sentence(run, "the parent")


def test_lock_in_a_worker(play: MakeRuns) -> None:
    """A worker that waits for a lock which its parent holds is named, and so is the parent."""
    text = """
        import multiprocessing as mp

        def worker(lock):
            with lock:
                pass

        def f():
            lock = mp.Lock()
            lock.acquire()
            p = mp.Process(target=worker, args=(lock,))
            p.start()
            p.join()
    """
    run = play(text, steps.call("f"), method="spawn")[1]
    assert (run.ending, run.why) == (Ending.HUNG, "proof")
    assert "waits for a lock that nobody releases, at cv_funcs.py:4: with lock:" in sentence(
        run, "worker 1"
    )


@pytest.mark.parametrize("nap", [0.1, 0.4])
def test_tree_that_only_naps_is_steady(play: MakeRuns, nap: float) -> None:
    """Processes that poll for ever are waited for with patience, then called hung."""
    text = f"""
        import multiprocessing as mp
        import time

        def worker():
            while True:
                time.sleep({nap})

        def f():
            p = mp.Process(target=worker)
            p.start()
            while p.is_alive():
                p.join({nap})
    """
    run = play(text, steps.call("f"), patience=1.5)[1]
    assert (run.ending, run.why) == (Ending.HUNG, "steady")
    assert "sleeps again and again, at cv_funcs.py:6:" in sentence(run, "worker 1")
    assert len(run.trace.stuck) == 2


def test_worker_that_computes_for_ever_times_out(play: MakeRuns) -> None:
    """A tree that works has not hung: only the time limit ends it."""
    text = """
        import multiprocessing as mp

        def worker():
            while True:
                pass

        def f():
            p = mp.Process(target=worker)
            p.start()
            p.join()
    """
    run = play(text, steps.call("f", seconds=1.5))[1]
    assert (run.ending, run.why) == (Ending.TIMED_OUT, "late")
    assert "is busy, at cv_funcs.py:" in sentence(run, "worker 1")


def test_caller_that_takes_its_results_slowly_has_not_hung(play: MakeRuns) -> None:
    """One result a round, naps between: nothing else happens, but what is read shows that it goes
    on.
    """
    text = """
        import multiprocessing as mp
        import time

        def f():
            queue = mp.Queue()
            for i in range(200):
                queue.put(i)
            got = []
            while len(got) < 200:
                got.append(queue.get())
                time.sleep(0.3)
    """
    run = play(text, steps.call("f", seconds=5.0), patience=1.0)[1]
    assert (run.ending, run.still_reading, run.why) == (
        Ending.TIMED_OUT,
        True,
        "late, still reading",
    )


def test_groups_and_notes_of_an_exception_are_told(play: MakeRuns) -> None:
    """What a task raised is found in nested groups, in their causes, and in notes."""
    text = """
        class Group(Exception):  # as ExceptionGroup, which is new in 3.11
            def __init__(self, *exceptions):
                super().__init__("several")
                self.exceptions = exceptions

        def f():
            inner = ValueError("found inside")
            inner.__notes__ = ["added to it"]
            raise RuntimeError("outside") from Group(Group(inner))
    """
    run = play(text, steps.call("f"))[1]
    assert run.error is not None
    assert run.error.chain == (
        "Group: several",
        "Group: several",
        "ValueError: found inside",
        "added to it",
    )


def test_each_call_has_the_whole_cap_of_output(play: MakeRuns) -> None:
    """What an earlier call has printed hides nothing of the next one."""
    text = """
        def f(words, times):
            print(words * times)
    """
    _, first, second = play(text, steps.call("f", "x", 3_000_000), steps.call("f", "hello", 1))
    assert len(first.printed) == 1_000_000
    assert second.printed.strip() == "hello"


BUSY_CALLER = """
    import multiprocessing as mp
    import time

    def worker(todo):
        todo.get()

    def f():
        todo = mp.Queue()
        p = mp.Process(target=worker, args=(todo,))
        p.start()
        while {condition}:
            pass
        todo.put("STOP")
        p.join()
"""


def test_caller_that_spins_is_found_out(play: MakeRuns) -> None:
    """A caller that polls without a pause, for what never comes, is called hung before its time
    limit.
    """
    text = BUSY_CALLER.format(condition="p.is_alive()")
    run = play(text, steps.call("f", seconds=60.0), patience=1.0)[1]
    assert (run.ending, run.why) == (Ending.HUNG, "the caller spins")


def test_caller_that_computes_by_itself_is_not_a_hang(play: MakeRuns) -> None:
    """Sorting results, or printing a lot, may take a caller seconds while its workers wait for the
    sentinel.
    """
    text = BUSY_CALLER.format(condition="time.process_time() < 3.5")
    run = play(text, steps.call("f", seconds=60.0))[1]
    assert (run.ending, run.why) == (Ending.RETURNED, ""), run


def test_long_naps_are_not_a_hang(play: MakeRuns) -> None:
    """One that sleeps longer than any window, and then returns, has returned; so has one that woke
    often before.
    """
    text = """
        import time

        def f():
            for _ in range(20):
                time.sleep(0.01)
            time.sleep(2.5)
            return 1
    """
    assert play(text, steps.call("f"), patience=1.0)[1].encoded == encoded(1)


def test_worker_stopped_by_a_signal(play: MakeRuns) -> None:
    """A worker that was stopped is a hang with that reason, and is ended all the same."""
    text = """
        import multiprocessing as mp
        import os
        import signal

        def worker():
            os.kill(os.getpid(), signal.SIGSTOP)

        def f():
            p = mp.Process(target=worker)
            p.start()
            p.join()
    """
    run = play(text, steps.call("f"))[1]
    assert run.ending is Ending.HUNG
    assert "was stopped by a signal" in sentence(run, "worker 1")


@PROC
def test_stopped_worker_is_not_waited_for_as_if_it_moved(play: MakeRuns, observer: str) -> None:
    """A worker that stands still has 2 s, not a busy machine's 10; its own child naps, so that no
    proof comes first.
    """
    text = """
        import multiprocessing as mp
        import os
        import signal
        import time

        def worker():
            if os.fork() == 0:
                time.sleep(1000)
            os.kill(os.getpid(), signal.SIGSTOP)

        def f():
            p = mp.Process(target=worker)
            p.start()
            p.join(0.5)
            return int(time.monotonic() * 1000)
    """
    run = play(text, steps.call("f"), observer=observer)[1]
    assert [one.later for one in run.trace.processes if not one.helper] == ["alive", "alive"]
    assert time.monotonic() - int(run.encoded[1]) / 1000 < after_return.BUSY_SECONDS


BEGINS_WITHOUT_ITS_FOLDER = """
import sys
import time
from pytest_mpgrade.system.linux import procfs, ptrace
from pytest_mpgrade.run.observe.linux import LinuxObserver
from pytest_mpgrade.isolation.start import Start

def late(pid):
    while procfs.state(pid) != "Z":
        time.sleep(0.001)
    seize(pid)

seize, ptrace.seize = ptrace.seize, late
observer = LinuxObserver(trace=True)
nowhere = {"out": "/nowhere/out", "err": "/nowhere/err"}
root = observer.start(Start(argv=[sys.executable], env={}, cwd="/", **nowhere))
while not observer.seen[root].ended:
    time.sleep(0.001)
print(observer.seen[root].exitcode, observer.end_all(time.monotonic() + 10))
"""


def test_process_that_cannot_begin_is_not_waited_for() -> None:
    """One that ends before it is traced, as where the folder of its run went with a killed grader,
    is seen to end.
    """
    argv = [sys.executable, "-c", BEGINS_WITHOUT_ITS_FOLDER]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "127 True\n", done.stderr


def test_all_calls_of_a_play_know_of_a_task_in_the_caller(play: MakeRuns) -> None:
    """A thread of the caller may begin its task during a later call: that is told of the earlier
    ones too.
    """
    text = """
        import threading

        GO = threading.Event()

        def f(task):
            global thread
            thread = threading.Thread(target=lambda: (GO.wait(), task[0](*task[1])))
            thread.start()

        def g():
            GO.set()
            thread.join()
    """
    _, first, second = play(text, steps.call("f", (tasks.work.square, (3,))), steps.call("g"))
    assert (first.ending, second.ending) == (Ending.RETURNED, Ending.RETURNED)
    assert ([*first.trace.events], first.in_caller, second.in_caller) == ([], True, True)


def test_caller_that_ends_between_two_calls_ends_the_next(play: MakeRuns) -> None:
    """A thread may end its process when a call has returned and the next is not begun: that one has
    no other reason.
    """
    text = """
        import os
        import sys

        def f():
            gates = sys.modules["pytest_mpgrade.inside.gates"]
            ask = gates.ask
            gates.ask = lambda kind, **more: os._exit(3) if kind == "call" else ask(kind, **more)

        def g():
            pass
    """
    _, first, second = play(text, steps.call("f"), steps.call("g"))
    assert (first.ending, second.ending) == (Ending.RETURNED, Ending.DIED)
    assert (second.why, second.exitcode) == ("dead before it was called", 3)


@pytest.mark.parametrize("observer", ["proc", "psutil"])
def test_hang_is_seen_by_other_observers(play: MakeRuns, observer: str) -> None:
    """Without ptrace a hang is proven all the same; without /proc it is found by silence."""
    text = """
        import multiprocessing as mp

        def f():
            todo = mp.Queue()
            p = mp.Process(target=todo.get)
            p.start()
            p.join()
    """
    run = play(text, steps.call("f"), observer=observer)[1]
    assert (run.ending, run.why) == (Ending.HUNG, "proof" if observer == "proc" else "steady")
    assert {stuck.name for stuck in run.trace.stuck} == {"the parent", "worker 1"}


def test_no_call_after_one_that_hangs(student: Callable[..., Student]) -> None:
    """Steps behind one that does not come back are told as not tried."""
    text = """
        import threading

        def f():
            threading.Event().wait()

        def g():
            return 1
    """
    first, second = student(text).play(steps.call("f"), steps.call("g"))
    assert (first.ending, second.ending) == (Ending.HUNG, Ending.NOT_TRIED)
    assert second.why == "f(…) did not come back"
