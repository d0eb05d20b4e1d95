"""Right runs whose tracing thread is late by seconds at one kind of event: they end as they would
have, only later.
"""

from __future__ import annotations

import itertools
import sys
import textwrap
from collections.abc import Callable

import pytest

from pytest_mpgrade import steps, tasks
from pytest_mpgrade.inside import plain_data
from pytest_mpgrade.records import Ending, Run
from pytest_mpgrade.run.client import supervisor_pool
from pytest_mpgrade.run.protocol import CallsRequest, CellsRequest
from pytest_mpgrade.run.supervisor import after_return
from pytest_mpgrade.system.linux import procfs
from support.held_back import late_at, late_at_messages, supervised_here
from support.ours import Ours
from support.running import MakeRuns

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="traces with ptrace")

SECONDS = 2.5
"""Longer than any rule of quiet needs, where it is told to have a patience of 1 s."""

HEAD = """
    import multiprocessing as mp
    import os
    import signal
    import subprocess
    import sys
    import threading
    import time

    def nap():
        for _ in range(8):
            time.sleep(0.05)
"""

Hold = Callable[..., None]
Ask = Callable[[CallsRequest | CellsRequest, float], bytes]


def noting(ours: Ours, ask: Ask) -> Ask:
    """Return a way to have requests served that notes the names of each run, as the other one
    does.
    """

    def noted(request: CallsRequest | CellsRequest, seconds: float) -> bytes:
        ours.prefixes.add(request.prefix)
        return ask(request, seconds)

    return noted


@pytest.fixture
def hold(monkeypatch: pytest.MonkeyPatch, ours: Ours) -> Hold:
    """Return a function that has all runs of the test traced late: kind of event, seconds, and
    `in_hand`.
    """

    def set_up(kind: str, seconds: float = SECONDS, *, in_hand: bool = False) -> None:
        ask = supervised_here(lambda: late_at(kind, seconds, in_hand=in_hand))
        monkeypatch.setattr(supervisor_pool, "ask_server", noting(ours, ask))

    return set_up


EVENTS = {
    "fork": (
        """
        def f():
            p = mp.Process(target=nap)
            nap()
            p.start()
            p.join()
            return 7
    """
    ),
    "vfork": (
        """
        def f():
            nap()
            return subprocess.run([sys.executable, "-S", "-c", "raise SystemExit(7)"]).returncode
    """
    ),
    "clone": (
        """
        def f():
            nap()
            thread = threading.Thread(target=nap)
            thread.start()
            thread.join()
            return 7
    """
    ),
    "exec": (
        """
        def f():
            p = subprocess.Popen([sys.executable, "-S", "-c", "raise SystemExit(7)"])
            nap()
            return p.wait()
    """
    ),
    "group stop": (
        """
        def stop():
            os.kill(os.getpid(), signal.SIGSTOP)

        def f():
            p = mp.Process(target=stop)
            p.start()
            os.waitpid(p.pid, os.WUNTRACED)
            os.kill(p.pid, signal.SIGCONT)
            p.join()
            return 7
    """
    ),
    "stop": (
        """
        def stop():
            os.kill(os.getpid(), signal.SIGSTOP)

        def f():
            p = mp.Process(target=stop)
            p.start()
            os.waitpid(p.pid, os.WUNTRACED)
            os.kill(p.pid, signal.SIGCONT)
            p.join()
            return 7
    """
    ),
    "signal": (
        """
        def leave(*_):
            os._exit(7)

        def f():
            ready, tell = mp.Pipe(duplex=False)

            def work():
                signal.signal(signal.SIGUSR1, leave)
                tell.send(1)
                while True:
                    signal.pause()

            p = mp.Process(target=work)
            p.start()
            ready.recv()
            os.kill(p.pid, signal.SIGUSR1)
            p.join()
            return p.exitcode
    """
    ),
    "exit": (
        """
        def f():
            p = mp.Process(target=nap)
            p.start()
            p.join()
            return 7
    """
    ),
}
"""A function that returns 7, for each kind of event that happens while somebody waits for what
comes of it.
"""

JOINS = {
    "polls is_alive": "while p.is_alive(): time.sleep(0.02)",
    "spins on is_alive": "while p.is_alive(): pass",
    "waits for the sentinel": "mp.connection.wait([p.sentinel]); p.join()",
    "waits for SIGCHLD": "os.waitid(os.P_PID, p.pid, os.WEXITED)",
}


def submission(function: str) -> str:
    """Return a module with that function."""
    return textwrap.dedent(HEAD) + textwrap.dedent(function)


def returned(run: Run) -> object:
    """Return the value of a call that has come back."""
    assert run.ending is Ending.RETURNED, (
        run.ending,
        run.why,
        run.error,
        [stuck.sentence for stuck in run.trace.stuck],
    )
    return run.encoded


@pytest.mark.parametrize("in_hand", [False, True], ids=["before it is taken in", "in hand"])
@pytest.mark.parametrize("kind", EVENTS)
def test_event_that_is_taken_in_late(play: MakeRuns, hold: Hold, kind: str, in_hand: bool) -> None:
    """Whatever the tracing thread is late at, nobody hangs who waits for what comes of it."""
    hold(kind, in_hand=in_hand)
    assert returned(
        play(submission(EVENTS[kind]), steps.call("f"), patience=1.0)[1]
    ) == plain_data.encode(7)


@pytest.mark.parametrize("how", JOINS)
def test_every_wait_for_an_end_that_is_told_late(play: MakeRuns, hold: Hold, how: str) -> None:
    """A caller that polls for an end, spins or waits for it has not hung while we have not heard of
    it.
    """
    hold("exit")
    text = f"""
        def f():
            import multiprocessing.connection
            p = mp.Process(target=nap)
            p.start()
            {JOINS[how]}
            return 7
    """
    # half of that may be computing
    run = play(submission(text), steps.call("f"), patience=1.0, seconds=4.0)[1]
    assert returned(run) == plain_data.encode(7)


@pytest.mark.parametrize("observer", ["auto", "proc"])
def test_caller_whose_end_is_told_late_has_died(play: MakeRuns, hold: Hold, observer: str) -> None:
    """A calling process that has ended is not one that hangs, though all that is left of the tree
    waits for ever.
    """
    hold("exit")
    text = """
        def f():
            p = mp.Process(target=signal.pause)
            p.start()
            nap()
            os._exit(3)
    """
    run = play(submission(text), steps.call("f"), observer=observer)[1]
    assert run.ending is Ending.DIED


def test_our_lateness_is_no_time_of_the_call(play: MakeRuns, hold: Hold) -> None:
    """A call is not out of time, and has not been blocking, while it was held up by us."""
    hold("exit", 4.0)
    text = """
        def f():
            p = mp.Process(target=nap)
            p.start()
            p.join()
            return 7
    """
    run = play(submission(text), steps.call("f"), seconds=3.0)[1]
    assert returned(run) == plain_data.encode(7)
    assert run.blocked < 1.0


def test_process_that_keeps_us_busy_gains_no_time(play: MakeRuns) -> None:
    """Something waits for us at every look, and is taken in each time: a call has its limit, and
    has been blocking.
    """
    text = """
        def storm():
            signal.signal(signal.SIGUSR1, lambda *_: None)
            while True:
                os.kill(os.getpid(), signal.SIGUSR1)

        def f(seconds):
            p = mp.Process(target=storm, daemon=True)
            p.start()
            p.join(seconds)
            p.kill()
            p.join()
    """
    _, first, second = play(
        submission(text), steps.call("f", 2.0), steps.call("f", 60.0), seconds=4.0
    )
    assert returned(first) is not None
    assert first.blocked > 1.0
    assert second.ending is Ending.TIMED_OUT  # long before it would have come back


def test_worker_that_is_held_up_by_us_does_not_linger(
    play: MakeRuns, hold: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that was told to end has as long for it as anybody, from when we let it go on."""
    hold("signal", 4.0)
    monkeypatch.setattr(after_return, "BUSY_SECONDS", 2.0)
    text = """
        def leave(*_):
            os._exit(0)

        def f():
            ready, tell = mp.Pipe(duplex=False)

            def work():
                signal.signal(signal.SIGUSR1, leave)
                tell.send(1)
                while True:
                    signal.pause()

            p = mp.Process(target=work)
            p.start()
            ready.recv()
            os.kill(p.pid, signal.SIGUSR1)
            return 7
    """
    run = play(submission(text), steps.call("f"))[1]
    assert returned(run) == plain_data.encode(7)
    assert [one.later for one in run.trace.processes] == ["zombie"]


def test_orphan_that_nobody_else_can_reap_is_no_zombie_at_return(
    play: MakeRuns, hold: Hold
) -> None:
    """An orphan has ended when the call comes back, and only we are late to reap it."""
    hold("exit", 1.0)
    text = """
        def f():
            end, kept = os.pipe()
            child = os.fork()
            if child == 0:
                if os.fork() == 0:
                    os.close(end)
                    time.sleep(1.5)
                os._exit(0)
            os.close(kept)
            os.waitpid(child, 0)
            os.read(end, 1)  # the orphan has closed its files
            os.close(end)
            time.sleep(0.3)
            return 7
    """
    run = play(submission(text), steps.call("f"))[1]
    assert returned(run) == plain_data.encode(7)
    assert [one.at_return for one in run.trace.processes] == ["gone", "gone"]


def test_process_that_a_list_of_children_lacks(
    play: MakeRuns, monkeypatch: pytest.MonkeyPatch, ours: Ours
) -> None:
    """Without ptrace processes are found by lists that may lack one: it has not ended, and is
    heard.
    """
    found = procfs.descendants
    looks = itertools.count()
    monkeypatch.setattr(procfs, "descendants", lambda root: found(root)[next(looks) % 2 :])
    monkeypatch.setattr(supervisor_pool, "ask_server", noting(ours, supervised_here(lambda: None)))
    text = """
        def f(task):
            p = mp.Process(target=task[0], args=task[1])
            p.start()
            p.join()
            return 7
    """
    run = play(submission(text), steps.call("f", tasks.square([3]).tasks[0]), observer="proc")[1]
    assert returned(run) == plain_data.encode(7)


def test_real_hang_is_still_proven(play: MakeRuns, hold: Hold) -> None:
    """A zombie of whose end we have heard, and that nobody joins, keeps no tree from being
    quiet.
    """
    hold("exit", 0.5)
    text = """
        def f():
            p = mp.Process(target=nap)
            p.start()
            mp.Queue().get()
    """
    run = play(submission(text), steps.call("f"))[1]
    assert (run.ending, run.why) == (Ending.HUNG, "proof")


@pytest.mark.parametrize("method", ["fork", "forkserver"])
def test_word_of_a_worker_that_has_ended_by_then(
    play: MakeRuns, monkeypatch: pytest.MonkeyPatch, ours: Ours, method: str
) -> None:
    """Without ptrace a worker is known however late its messages are read: it waits to be met."""
    monkeypatch.setattr(
        supervisor_pool,
        "ask_server",
        noting(ours, supervised_here(lambda: late_at_messages(0.1))),
    )
    workload = tasks.square(range(3))
    text = """
        import multiprocessing as mp

        def f(tasks):
            for func, args in tasks:
                p = mp.Process(target=func, args=args)
                p.start()
                p.join()
    """
    run = play(text, steps.call("f", workload), method=method, observer="proc")[1]
    assert run.ending is Ending.RETURNED, run
    assert [event.key for event in run.trace.events] == ["0", "1", "2"]
    assert len({event.pid for event in run.trace.events}) == 3
