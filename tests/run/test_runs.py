"""Runs of small submissions, right, wrong and hostile, in real processes: how each call ended and
what was seen.

That nothing is left after a run is proven after every test (conftest.py).
"""

from __future__ import annotations

import inspect
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from pytest_mpgrade import steps, tasks
from pytest_mpgrade.errors import SupervisorError
from pytest_mpgrade.inside import plain_data
from pytest_mpgrade.records import Ending, Phase, Run, Scenario
from pytest_mpgrade.run.client import module_run
from pytest_mpgrade.run.supervisor import after_return
from pytest_mpgrade.student import Student
from pytest_mpgrade.student.runs import RunCache
from support.ours import Ours
from support.running import MakeRuns, setting, wait_until

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="observes with ptrace and /proc"
)

METHODS = pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
OBSERVERS = pytest.mark.parametrize("observer", ["auto", "proc", "psutil"])
PROC = pytest.mark.parametrize("observer", ["auto", "proc"])

RIGHT = """
    import multiprocessing as mp

    def work(todo, done):
        for func, args in iter(todo.get, "STOP"):
            done.put(func(*args))

    def mp_apply(tasks, n_processes=2):
        tasks = list(tasks)
        todo, done = mp.Queue(), mp.Queue()
        workers = [mp.Process(target=work, args=(todo, done)) for _ in range(n_processes)]
        for each in workers:
            each.start()
        for task in tasks:
            todo.put(task)
        results = [done.get() for _ in tasks]
        for each in workers:
            todo.put("STOP")
        for each in workers:
            each.join()
            each.close()
        for queue in (todo, done):
            queue.close()
            queue.join_thread()
        return results
"""


def encoded(value: object) -> object:
    """Return what a run tells of a value."""
    return plain_data.encode(value)


def values(run: Run) -> list[object]:
    """Return the items of a list that a call returned, encoded, in sorted order."""
    assert run.ending is Ending.RETURNED, (run.ending, run.why, run.error, run.stderr)
    assert run.value[0] == "list"
    return sorted(run.value[1], key=repr)


def sentence(run: Run, role: str) -> str:
    """Return what one process of a tree that hangs is said to wait for."""
    (found,) = [stuck.sentence for stuck in run.trace.stuck if stuck.name == role]
    return found


# --- how calls end


@OBSERVERS
def test_value_comes_back(play: MakeRuns, observer: str) -> None:
    """What a function returns arrives with its types, and what it printed with it."""
    text = """
        def f(x, *, scale):
            print("so", x)
            return [x * scale, None, True, "STOP", {"a": (1.5, b"z")}]
    """
    imported, run = play(text, steps.call("f", 3, scale=2), observer=observer)
    assert (imported.ending, imported.import_children) == (Ending.RETURNED, 0)
    assert run.ending is Ending.RETURNED
    assert run.value == encoded([6, None, True, "STOP", {"a": (1.5, b"z")}])
    assert run.printed == "so 3\n"
    assert run.trace.processes == ()
    assert run.trace.leftovers == ()
    assert run.trace.observer == {"auto": "ptrace"}.get(observer, observer)


def test_raised_error_has_the_students_own_line(play: MakeRuns) -> None:
    """An exception comes as text, with its causes and the student's line, though the library raised
    it.
    """
    text = """
        import json

        def f(text):
            try:
                return json.loads(text)
            except ValueError as error:
                raise RuntimeError("kaputt 4711") from error
    """
    run = play(text, steps.call("f", "{"))[1]
    assert run.ending is Ending.RAISED
    assert run.error is not None
    assert (run.error.type, run.error.message) == ("RuntimeError", "kaputt 4711")
    assert run.error.line == 'raise RuntimeError("kaputt 4711") from error'
    assert run.error.chain[0].startswith("JSONDecodeError: Expecting property name")
    assert [frame.line for frame in run.error.frames if frame.own] == [7]


@pytest.mark.parametrize(
    "how", ["raise SystemExit(0)", "raise KeyboardInterrupt", "raise BaseException('x')"]
)
def test_exit_in_a_call_is_an_error_of_the_call(play: MakeRuns, how: str) -> None:
    """An exception that would end the interpreter is one more exception, and later calls are still
    made.
    """
    text = f"""
        def f():
            {how}

        def g():
            return 1
    """
    _, first, second = play(text, steps.call("f"), steps.call("g"))
    assert first.ending is Ending.RAISED
    assert first.error is not None
    assert first.error.type in how
    assert second.value == encoded(1)


@OBSERVERS
@pytest.mark.parametrize(
    ("how", "code"),
    [("os._exit(7)", 7), ("os._exit(0)", 0), ("os.kill(os.getpid(), 9)", -9), ("os.abort()", -6)],
)
def test_caller_that_ends_itself_has_died(
    play: MakeRuns, how: str, code: int, observer: str
) -> None:
    """A call in which the calling process ends is told with its exit status."""
    run = play(f"import os\n\ndef f():\n    {how}\n", steps.call("f"), observer=observer)[1]
    assert run.ending is Ending.DIED
    if observer != "proc":  # without ptrace it is a child of ours all the same, but nobody asks
        assert run.exitcode == code


def test_fault_of_recursion_is_an_error(play: MakeRuns) -> None:
    """RecursionError, and an exception whose own text cannot be made, are told as errors."""
    text = """
        class Odd(Exception):
            def __str__(self):
                return 1 / 0

        def f():
            return f()

        def g():
            raise Odd
    """
    _, deep, odd = play(text, steps.call("f"), steps.call("g"))
    assert deep.error is not None
    assert deep.error.type == "RecursionError"
    assert odd.error is not None
    assert (odd.error.type, odd.error.message) == ("Odd", "<no message: ZeroDivisionError>")


# --- imports


def test_missing_package_is_named(play: MakeRuns) -> None:
    """A module that needs a package that is not here was not imported, and the package is named."""
    (run,) = play("import nothing_of_that_name.below\n")
    assert run.ending is Ending.NOT_IMPORTED
    assert run.error is not None
    assert run.error.type == "ModuleNotFoundError"
    assert run.facts.missing == "nothing_of_that_name"


def test_import_that_raises(play: MakeRuns) -> None:
    """An error at import is told with the student's own line, and no call is made."""
    (run,) = play("x = {}\ny = x['a']\n", steps.call("f"))
    assert run.ending is Ending.NOT_IMPORTED
    assert run.error is not None
    assert (run.error.type, run.error.line) == ("KeyError", "y = x['a']")


@pytest.mark.parametrize("code", [0, 3])
def test_system_exit_at_import(play: MakeRuns, code: int) -> None:
    """SystemExit at import is an import that failed, whatever its status."""
    (run,) = play(f"import sys\nsys.exit({code})\n", steps.call("f"))
    assert run.ending is Ending.NOT_IMPORTED
    assert run.error is not None
    assert (run.error.type, run.error.message) == ("SystemExit", str(code))


@OBSERVERS
def test_interpreter_ended_at_import(play: MakeRuns, observer: str) -> None:
    """os._exit(0) at import is an import that failed, though the status is that of success."""
    (run,) = play("import os\nos._exit(0)\n", steps.call("f"), observer=observer)
    assert run.ending is Ending.NOT_IMPORTED
    assert (run.phase, run.why) == (Phase.IMPORT, "dead while the module was imported")


def test_endless_loop_at_import(play: MakeRuns) -> None:
    """An import that does not end is ended, and the line where it was is shown."""
    (run,) = play("x = 0\nwhile True:\n    x += 1\n", steps.call("f"), import_seconds=3.0)
    assert run.ending is Ending.NOT_IMPORTED
    assert run.phase is Phase.IMPORT
    assert {frame.line for stuck in run.trace.stuck for frame in stuck.frames if frame.own} <= {
        2,
        3,
    }
    assert len(run.trace.stuck) == 1


def test_processes_at_import_are_counted(play: MakeRuns) -> None:
    """A child process that the import starts is seen, and ended."""
    text = """
        import multiprocessing as mp
        import time

        mp.get_context("fork").Process(target=time.sleep, args=(1000,), daemon=True).start()

        def f():
            return 1
    """
    imported, run = play(text, steps.call("f"))
    assert imported.import_children == 1
    assert run.value == encoded(1)


# --- hangs


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
    assert play(text, steps.call("f"), patience=1.0)[1].value == encoded(1)


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
    assert time.monotonic() - int(run.value[1]) / 1000 < after_return.BUSY_SECONDS


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


# --- what is left at return


@METHODS
@PROC
def test_zombie_is_seen_at_return(play: MakeRuns, method: str, observer: str) -> None:
    """A child that has ended and was never joined is a zombie; under forkserver its server has
    reaped it.
    """
    text = """
        import multiprocessing as mp
        from multiprocessing.connection import wait

        KEPT = []

        def f():
            for _ in range(2):
                KEPT.append(mp.Process(target=print))
                KEPT[-1].start()
            for each in KEPT:
                wait([each.sentinel])
    """
    run = play(text, steps.call("f"), method=method, observer=observer)[1]
    states = [one.later for one in run.trace.processes if not one.helper]
    if method == "forkserver":
        assert set(states) <= {"gone"}
    else:
        assert states.count("zombie") >= 1  # starting a process reaps those that ended before
    if observer == "auto":
        assert [one.exitcode for one in run.trace.processes if not one.helper] == [0, 0]


@METHODS
@OBSERVERS
def test_daemon_that_outlives_the_call(play: MakeRuns, method: str, observer: str) -> None:
    """A worker that is still alive at return is seen then and later, and ended afterwards."""
    text = """
        import multiprocessing as mp
        import time

        def f():
            p = mp.Process(target=time.sleep, args=(1000,), daemon=True)
            p.start()
            return p.pid
    """
    run = play(text, steps.call("f"), method=method, observer=observer)[1]
    (left,) = [one for one in run.trace.processes if not one.helper]
    assert run.value == encoded(left.pid)
    assert (left.at_return, left.later, left.exitcode) == ("alive", "alive", None)
    assert wait_until(lambda: not psutil.pid_exists(left.pid))


@OBSERVERS
def test_orphan_in_a_session_of_its_own(play: MakeRuns, observer: str) -> None:
    """A grandchild that left session and parent behind is in the tree, and does not survive the
    run.
    """
    text = """
        import os
        import time

        def f():
            reader, writer = os.pipe()
            child = os.fork()
            if child == 0:
                os.setsid()
                if os.fork() == 0:
                    os.setsid()
                    os.write(writer, str(os.getpid()).encode())
                    time.sleep(1000)
                os._exit(0)
            os.waitpid(child, 0)
            pid = int(os.read(reader, 20))
            os.close(reader)
            os.close(writer)
            return pid
    """
    run = play(text, steps.call("f"), observer=observer)[1]
    assert run.ending is Ending.RETURNED
    pid = int(run.value[1])
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    # that one cannot follow an orphan; it finds it by its mark when the run ends
    if observer != "psutil":
        assert [one.at_return for one in run.trace.processes if one.pid == pid] == ["alive"]


LEAKS = {
    "thread": (
        "import threading\nKEPT = threading.Thread(target=threading.Event().wait)\nKEPT.start()\n"
    ),
    "pipe": "import os\nKEPT = os.pipe()\n",
    "connection": "import multiprocessing as mp\nKEPT = mp.Pipe(duplex=False)\n",
    "semaphore": "import multiprocessing as mp\nKEPT = mp.Lock()\n",
    "shared memory": (
        "from multiprocessing.shared_memory import SharedMemory\nKEPT = SharedMemory(create=True,"
        " size=4096)\n"
    ),
}


@PROC
@pytest.mark.parametrize("what", LEAKS)
def test_leak_is_named_and_removed(play: MakeRuns, what: str, observer: str, ours: Ours) -> None:
    """A thread, pipe, semaphore or block of shared memory that is left is named, and gone after the
    run.
    """
    body = LEAKS[what].replace("\n", "\n    ").rstrip()
    text = f"def f():\n    global KEPT\n    {body}\n\ndef g():\n    return 1\n"
    _, run, later = play(text, steps.call("f"), steps.call("g"), method="spawn", observer=observer)
    kind = {"connection": "pipe"}.get(what, what)
    found = {leftover.kind for leftover in run.trace.leftovers}
    assert found == {kind}
    assert later.trace.leftovers == ()
    if kind in ("semaphore", "shared memory"):
        (name,) = {leftover.name for leftover in run.trace.leftovers}
        assert any(prefix.lstrip("/") in name for prefix in ours.prefixes)


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_semaphores_of_an_import_carry_the_runs_name(play: MakeRuns, method: str) -> None:
    """A child that imports the submission anew names its semaphores as its parent does, so that
    they can be removed.
    """
    text = """
        import multiprocessing as mp

        LOCK = mp.Lock()

        def worker(done):
            done.put(LOCK._semlock.name)

        def f():
            done = mp.Queue()
            p = mp.Process(target=worker, args=(done,))
            p.start()
            theirs = done.get()
            p.join()
            return [name.rpartition("-")[0] for name in (LOCK._semlock.name, theirs)]
    """
    mine, theirs = values(play(text, steps.call("f"), method=method)[1])
    assert mine == theirs
    assert mine != plain_data.encode("/mp")


def test_nothing_is_left_of_a_tidy_call(play: MakeRuns) -> None:
    """What is closed, or collected with its last reference, is no leftover."""
    text = """
        import multiprocessing as mp
        import threading
        from multiprocessing.shared_memory import SharedMemory

        def f():
            block = SharedMemory(create=True, size=4096)
            block.close()
            block.unlink()
            pipe = mp.Pipe(duplex=False)
            cycle = [pipe]
            cycle.append(cycle)
            lock = mp.Lock()
            thread = threading.Thread(target=lock.acquire)
            thread.start()
            thread.join()
    """
    run = play(text, steps.call("f"), method="spawn")[1]
    assert run.ending is Ending.RETURNED
    assert run.trace.leftovers == ()


def test_temporary_files_are_removed(play: MakeRuns) -> None:
    """Whatever is written to the temporary folder, the home folder or the current one goes with the
    run.
    """
    text = """
        import os
        import tempfile

        def f():
            places = [tempfile.mkdtemp(), os.path.expanduser("~/mine"), os.path.abspath("here")]
            for number, place in enumerate(places):
                if number:
                    open(place, "w").close()
            return places
    """
    run = play(text, steps.call("f"))[1]
    assert run.ending is Ending.RETURNED
    assert len(run.value[1]) == 3
    for _, place in run.value[1]:
        assert not os.path.exists(place)
        assert f"{os.sep}mpgrade-" in place


# --- what was seen of processes


@METHODS
def test_exit_statuses(play: MakeRuns, method: str) -> None:
    """Each worker's end is seen from outside, whatever the parent made of it."""
    text = """
        import multiprocessing as mp
        import os
        import signal
        import sys

        def fails():
            raise ValueError

        def f():
            ends = [
                (print, ()), (sys.exit, (3,)), (os._exit, (0,)), (fails, ()),
                *((signal.raise_signal, (n,)) for n in (signal.SIGKILL, signal.SIGTERM)),
                (signal.raise_signal, (signal.SIGSEGV,)),
            ]
            pids = []
            for target, args in ends:
                p = mp.Process(target=target, args=args)
                p.start()
                pids.append(p.pid)
                p.join()
            return pids
    """
    run = play(text, steps.call("f"), method=method)[1]
    assert run.ending is Ending.RETURNED, run
    pids = [int(item[1]) for item in run.value[1]]
    codes = {one.pid: one.exitcode for one in run.trace.processes}
    assert [codes[pid] for pid in pids] == [0, 3, 0, 1, -9, -15, -11]
    assert {one.born for one in run.trace.processes if one.pid in pids} == {method}


def test_every_short_life_is_seen(play: MakeRuns) -> None:
    """A child may stop, run and end before its parent's fork event is told: nothing of it may be
    lost.
    """
    text = """
        import os

        def f():
            pids = []
            for number in range(400):
                pid = os.fork()
                if pid == 0:
                    os._exit(number % 250)
                pids.append(pid)
            for pid in pids:
                os.waitpid(pid, 0)
            return pids
    """
    run = play(text, steps.call("f"), processes=1000)[1]  # on a busy machine many live at a time
    assert run.ending is Ending.RETURNED, run
    codes = {one.pid: one.exitcode for one in run.trace.processes}
    ends = {pid: codes.get(pid, "unseen") for pid in (int(item[1]) for item in run.value[1])}
    assert list(ends.values()) == [number % 250 for number in range(400)]
    assert {one.born for one in run.trace.processes if one.pid in ends} == {"fork"}


@METHODS
@OBSERVERS
def test_tasks_come_from_the_processes_that_ran_them(
    play: MakeRuns, method: str, observer: str
) -> None:
    """Every task's sender is a process of the tree, and none is the caller."""
    workload = tasks.square(range(12))
    run = play(
        RIGHT, steps.call("mp_apply", workload, n_processes=3), method=method, observer=observer
    )[1]
    assert values(run) == sorted(workload.expected, key=repr)
    assert sorted(event.key for event in run.trace.events) == sorted(workload.keys)
    senders = {event.pid for event in run.trace.events}
    workers = {one.pid: one for one in run.trace.processes if not one.helper}
    assert run.trace.caller not in senders
    # Whoever polls may miss a worker that has come when all tasks were taken.
    assert len(senders | set(workers)) == 3 or (observer == "psutil" and 1 <= len(senders) <= 3)
    # the others may miss processes that live for less than their period, and say so
    if observer == "auto":
        assert senders <= set(workers)
        assert {(one.born, one.later) for one in workers.values()} == {(method, "gone")}
    assert {one.exitcode for one in workers.values()} <= ({0} if observer == "auto" else {None})
    assert run.trace.leftovers == ()


def test_worker_cannot_speak_for_the_caller(play: MakeRuns) -> None:
    """A message that names another sender is taken for what it is: only the caller can say that a
    call is back.
    """
    text = """
        import multiprocessing as mp
        import os
        from pytest_mpgrade.inside import gates

        def worker():
            gates.tell("back", pid=os.getppid(), step=0, raised=False, none=True)
            gates.tell("note", pid=os.getppid(), key="forged")

        def f(_):
            p = mp.Process(target=worker)
            p.start()
            p.join()
            return p.pid
    """
    run = play(text, steps.call("f", None))[1]  # which tasks it hands out is not known
    (worker,) = run.trace.processes
    assert run.value == encoded(worker.pid)
    assert [(event.key, event.pid) for event in run.trace.events] == [("forged", worker.pid)]


@METHODS
def test_own_processes_keep_their_start_method(play: MakeRuns, method: str) -> None:
    """get_context('fork') is seen as fork under every default; the default is the one that was
    asked for.
    """
    text = """
        import multiprocessing as mp

        def f():
            for context in (mp.get_context("fork"), mp):
                p = context.Process(target=print)
                p.start()
                p.join()
            return mp.get_start_method()
    """
    run = play(text, steps.call("f"), method=method)[1]
    assert run.value == encoded(method)
    assert [one.born for one in run.trace.processes if not one.helper] == ["fork", method]


@METHODS
def test_set_start_method_is_noted_and_harmless(play: MakeRuns, method: str) -> None:
    """set_start_method, at import or in a call, neither raises nor changes anything, and is
    told.
    """
    text = """
        import multiprocessing as mp
        from multiprocessing import set_start_method

        set_start_method("fork")

        def f():
            mp.set_start_method("spawn", force=True)
            mp.set_start_method("forkserver")
            p = mp.Process(target=print)
            p.start()
            p.join()
            return mp.get_start_method()
    """
    imported, run = play(text, steps.call("f"), method=method)
    assert imported.facts.set_start_method == ("fork",)
    assert run.facts.set_start_method == ("fork", "spawn", "forkserver")
    assert run.facts.start_method_now == method
    assert run.value == encoded(method)
    assert {one.born for one in run.trace.processes if not one.helper} == {method}


def test_threads_are_the_caller(play: MakeRuns) -> None:
    """Tasks in threads are tasks in the caller: no process was started."""
    text = """
        from concurrent.futures import ThreadPoolExecutor

        def mp_apply(tasks, n_processes=2):
            with ThreadPoolExecutor(n_processes) as pool:
                return list(pool.map(lambda task: task[0](*task[1]), tasks))
    """
    workload = tasks.square(range(8))
    run = play(text, steps.call("mp_apply", workload, n_processes=3))[1]
    assert values(run) == sorted(workload.expected, key=repr)
    assert {event.pid for event in run.trace.events} == {run.trace.caller}
    assert run.trace.processes == ()
    assert run.trace.leftovers == ()


@METHODS
def test_multiprocess_package(play: MakeRuns, method: str) -> None:
    """The dill-based package is graded as multiprocessing is, also with functions that only dill
    can send.
    """
    pytest.importorskip("multiprocess")
    text = (
        RIGHT.replace("import multiprocessing as mp", "import multiprocess as mp")
        + "\n    def f(tasks):\n        return mp_apply([(lambda task=task: task[0](*task[1]), ())"
        " for task in tasks])\n"
    )
    workload = tasks.square(range(4))
    imported, run = play(text, steps.call("f", workload), method=method, imports=("multiprocess",))
    assert imported.ending is Ending.RETURNED
    assert values(run) == sorted(workload.expected, key=repr)
    workers = [one for one in run.trace.processes if not one.helper]
    assert [(one.born, one.exitcode) for one in workers] == [(method, 0)] * 2
    assert {event.pid for event in run.trace.events} <= {one.pid for one in workers}
    assert run.trace.leftovers == ()


# --- what goes down, and what comes up


@METHODS
def test_functions_of_the_students_module(play: MakeRuns, method: str) -> None:
    """Tasks may name functions of the submission, which the grader never imports."""
    text = RIGHT + "\n    def calculate(func, args):\n        return func(*args)\n"
    workload = tasks.through_own([6, -5])
    run = play(text, steps.call("mp_apply", workload), method=method)[1]
    assert values(run) == sorted(workload.expected, key=repr)
    assert "cv_funcs" not in sys.modules


def test_generator_is_a_generator(play: MakeRuns) -> None:
    """A lazy workload arrives as a generator: no length, and only once."""
    text = """
        import types

        def f(tasks):
            return [isinstance(tasks, types.GeneratorType), len(list(tasks)), len(list(tasks))]
    """
    run = play(text, steps.call("f", tasks.square([1, 2, 3]).as_generator()))[1]
    assert run.value == encoded([True, 3, 0])


def test_queues_that_are_given(play: MakeRuns) -> None:
    """Queues of threads, and bare ones, arrive with their items; what is in them afterwards is
    told.
    """
    text = """
        def f(first, second):
            second.put(first.get() + second.get())
    """
    run = play(text, steps.call("f", steps.ThreadQueue([3, 4]), steps.BareQueue([10])))[1]
    assert run.facts.queues == (encoded([4]), encoded([13]))


def test_ten_thousand_tasks(play: MakeRuns) -> None:
    """Very many tasks come back, each one once."""
    workload = tasks.many(10_000)
    run = play(RIGHT, steps.call("mp_apply", workload))[1]
    assert values(run) == sorted(workload.expected, key=repr)
    assert sorted(event.key for event in run.trace.events) == sorted(workload.keys)


@OBSERVERS
def test_every_word_of_a_worker_is_heard(play: MakeRuns, observer: str) -> None:
    """A worker that tells much, ends, and is joined, has all of its messages in the trace of the
    call.
    """
    workload = tasks.square(range(1000))
    run = play(RIGHT, steps.call("mp_apply", workload, n_processes=1), observer=observer)[1]
    assert values(run) == sorted(workload.expected, key=repr)
    assert len(run.trace.events) == 1000


def test_printing_is_cut(play: MakeRuns) -> None:
    """100 MB on standard output are cut at the cap and cost nothing; the next call's output is its
    own.
    """
    text = """
        import sys

        def f():
            for _ in range(100):
                sys.stdout.write("x" * 1_000_000)
                sys.stderr.write("y" * 100_000)
            return 1

        def g():
            print("g")
            return 2
    """
    _, run, later = play(text, steps.call("f"), steps.call("g"))
    assert (run.value, later.value) == (encoded(1), encoded(2))
    assert set(run.printed) == {"x"}
    assert len(run.printed) <= 1_000_000
    assert len(later.printed) <= 1_000_000
    assert len(run.stderr) <= 20_000


def test_answer_that_is_too_large(play: MakeRuns) -> None:
    """A value beyond the cap is not read, and the run says so."""
    run = play("def f():\n    return list(range(100_000))\n", steps.call("f"), answer_bytes=10_000)[
        1
    ]
    assert run.value == ["object", "an answer that the grader cannot read"]


def test_closed_standard_streams(play: MakeRuns) -> None:
    """A submission that closes file descriptors 0 to 2, or replaces its streams, is judged all the
    same.
    """
    text = """
        import os
        import sys

        def f():
            sys.stdout = sys.stderr = None
            for number in range(3):
                os.close(number)
            return 1

        def g():
            return 2
    """
    _, run, later = play(text, steps.call("f"), steps.call("g"))
    assert (run.value, later.value) == (encoded(1), encoded(2))


def test_closed_file_descriptors(play: MakeRuns) -> None:
    """A submission that closes every file descriptor, the grader's too, has ended its run; nobody
    hangs.
    """
    run = play("import os\n\ndef f():\n    os.closerange(0, 256)\n", steps.call("f", seconds=5.0))[
        1
    ]
    assert run.ending is not Ending.RETURNED


def test_objects_are_only_named(play: MakeRuns) -> None:
    """An object of the student's own class is named and never brought to life, nor asked whether it
    is equal.
    """
    text = """
        class Equal:
            def __eq__(self, other):
                return True

            def __reduce__(self):
                raise SystemExit("was pickled")

        def f():
            return [Equal(), 1]
    """
    run = play(text, steps.call("f"))[1]
    assert run.value == ["list", [["object", "cv_funcs.Equal"], ["int", "1"]]]


def test_folder_of_the_submission_is_left_alone(play: MakeRuns, tmp_path: Path) -> None:
    """Nothing is written beside a submission, also when worker processes import it."""
    play(RIGHT, steps.call("mp_apply", tasks.square([1])), method="spawn")
    assert os.listdir(tmp_path / "submission1") == ["cv_funcs.py"]


# --- gradings


def test_equal_scenarios_are_run_once(run_cache: Callable[..., RunCache]) -> None:
    """Two tests that ask for the same call share one run; another start method is another run."""
    text = "import os\n\ndef f():\n    return os.getpid()\n"
    shared = run_cache(text)
    runs = [Student(shared, method).call("f") for method in ("fork", "fork", "spawn")]
    assert runs[0] is runs[1]
    assert runs[0].value != runs[2].value


def test_plainest_call_that_hangs_saves_the_others(student: Callable[..., Student]) -> None:
    """While the call that is relied on does not return, no other call of the function is made."""
    one = student(
        "import threading\n\ndef f(x):\n    threading.Event().wait()\n\ndef g():\n    return 1\n"
    )
    (stuck,) = one.rely_on(steps.call("f", 1))
    assert stuck.ending is Ending.HUNG
    assert one.call("f", 2).ending is Ending.NOT_TRIED
    assert one.call("g").value == encoded(1)


def test_hang_under_one_start_method_only(student: Callable[..., Student]) -> None:
    """A call that returns under another start method says so."""
    text = """
        import multiprocessing as mp
        import threading

        def f():
            if mp.get_start_method() == "spawn":
                threading.Event().wait()
    """
    (run,) = student(text, "spawn").rely_on(steps.call("f"))
    assert (run.ending, run.returned_under) == (Ending.HUNG, "fork")


# --- a supervisor that is killed

WAITS_ONCE = """
    import multiprocessing as mp
    import os
    import time

    BEGAN = os.path.join(os.path.dirname(__file__), "began")

    def worker():
        open(BEGAN + ".now", "w").close()
        time.sleep(1000)

    def f(times):
        with open(BEGAN, "a") as file:
            file.write("x")
        if os.path.getsize(BEGAN) <= times:
            lock = mp.get_context("spawn").Lock()
            p = mp.Process(target=worker)
            p.start()
            p.join()
        return 1
"""


def supervisors(*, servers: bool) -> list[psutil.Process]:
    """Return the supervisors below this process, or their servers."""
    found = [
        process
        for process in psutil.Process().children()
        if "pytest_mpgrade.run.supervisor.server" in process.cmdline()
    ]
    return found if servers else [child for server in found for child in server.children()]


def kill_when(began: Path, *, servers: bool) -> threading.Thread:
    """Start a thread that kills whoever supervises a run, or its server, as soon as the call has
    begun.
    """

    def kill() -> None:
        if wait_until(began.exists):
            for process in supervisors(servers=servers):
                if process.children():
                    process.kill()

    thread = threading.Thread(target=kill)
    thread.start()
    return thread


@OBSERVERS
def test_killed_supervisor_is_an_error_of_ours(
    module: Callable[[str], Path], observer: str
) -> None:
    """A supervisor that is killed is no verdict but an error, and takes its tree with it."""
    folder = module(WAITS_ONCE)
    thread = kill_when(folder / "began.now", servers=False)
    scenario = Scenario(steps=(steps.call("f", 100),), start_method="spawn")
    with pytest.raises(SupervisorError):
        module_run.run_module(scenario, setting(folder, observer=observer))
    thread.join()


@OBSERVERS
def test_killed_server_costs_nothing(module: Callable[[str], Path], observer: str) -> None:
    """A server that is killed leaves its supervisor to finish the run, and the next run has a new
    one.
    """
    folder = module(WAITS_ONCE)
    thread = kill_when(folder / "began.now", servers=True)
    shared = RunCache(setting(folder, observer=observer))
    try:
        for argument in (1, 2):
            assert Student(shared, "fork").call("f", argument, seconds=3.0).ending in (
                Ending.HUNG,
                Ending.TIMED_OUT,
                Ending.RETURNED,
            )
    finally:
        shared.close()
        thread.join()


def test_killed_supervisor_is_tried_again(module: Callable[[str], Path]) -> None:
    """A grading tries a run again whose supervisor broke; the second try counts."""
    folder = module(WAITS_ONCE)
    thread = kill_when(folder / "began.now", servers=False)
    shared = RunCache(setting(folder))
    try:
        run = Student(shared, "fork").call("f", 1)
        assert (folder / "began").read_text() == "x" * 2
        assert (run.ending, run.value) == (Ending.RETURNED, encoded(1))
    finally:
        shared.close()
        thread.join()


def test_submission_that_kills_its_supervisor(student: Callable[..., Student]) -> None:
    """Student code that kills the process above it is blamed for that when it does so again;
    nothing hangs.
    """
    text = """
        import os
        import signal

        def f():
            os.kill(os.getppid(), signal.SIGKILL)
            return 1
    """
    run = student(text).call("f")
    assert run.ending is Ending.STOPPED
    assert "killed by signal 9" in run.stopped


def test_grading_that_is_closed_ends_its_runs(module: Callable[[str], Path], ours: Ours) -> None:
    """Closing a grading in the middle of a run ends the run's processes."""
    folder = module(WAITS_ONCE)
    shared = RunCache(setting(folder))
    shared.prepare(Scenario(steps=(steps.call("f", 100),), start_method="fork"))
    assert wait_until((folder / "began.now").exists)
    shared.close()
    assert wait_until(lambda: not ours.processes())


def test_signals_are_named_as_the_platform_has_them() -> None:
    """The numbers that these tests write out are those of this platform."""
    assert (signal.SIGABRT, signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM) == (6, 9, 11, 15)


@METHODS
def test_child_that_was_reaped_without_join_leaves_nothing(play: MakeRuns, method: str) -> None:
    """Who polls exitcode until a child has ended has done what join() does: its pipes are not left
    over.
    """
    text = """
        import multiprocessing as mp
        import time

        def work():
            pass

        def f():
            p = mp.Process(target=work)
            p.start()
            while p.exitcode is None:
                time.sleep(0.01)
    """
    run = play(text, steps.call("f"), method=method)[1]
    assert run.ending is Ending.RETURNED
    assert run.trace.leftovers == ()


def test_forked_worker_is_not_where_its_parent_was(play: MakeRuns) -> None:
    """Below a forked worker's own frames lies its parent's stack at the fork, which says nothing of
    the worker.
    """
    text = """
        import multiprocessing as mp
        import threading

        def f():
            p = mp.Process(target=threading.Event().wait)
            p.start()
            p.join()
    """
    run = play(text, steps.call("f"))[1]
    told = {stuck.name: stuck for stuck in run.trace.stuck}
    assert run.ending is Ending.HUNG
    assert told["the parent"].sentence.endswith("at cv_funcs.py:7: p.join()")
    assert "cv_funcs.py" not in told["worker 1"].sentence
    assert [frame for frame in told["worker 1"].frames if frame.own] == []


SIGNATURES = """
    import functools

    def plain(a, b=1):
        pass

    def wide(a, /, b, *rest, c, d=2, **more):
        pass

    @functools.wraps(wide)
    def wrapped(*args, **kwargs):
        pass

    class Callable:
        def __call__(self, x):
            pass

    instance = Callable()
    partly = functools.partial(plain, 1)
    builtin = max
    number = 3
"""


def test_signatures_are_those_of_inspect(module: Callable[[str], Path]) -> None:
    """Of each function the child tells what `inspect.signature` says, whether or not it asks
    that.
    """
    names = ("plain", "wide", "wrapped", "Callable", "instance", "partly", "builtin", "number")
    plainly = setting(module(SIGNATURES))
    asked = replace(
        plainly, assignment=replace(plainly.assignment, functions=dict.fromkeys(names, ()))
    )
    (run,) = module_run.run_module(Scenario(steps=(), start_method="fork"), asked)
    there: dict[str, Any] = {}
    exec(textwrap.dedent(SIGNATURES), there)

    def known(name: str) -> object:
        try:
            found = inspect.signature(there[name]).parameters.values()
        except TypeError:
            return None
        except ValueError:
            return []
        return [(each.name, str(each.kind), each.default is not each.empty) for each in found]

    assert run.facts.functions == {name: known(name) for name in names}


def test_files_with_the_names_of_libraries(module: Callable[[str], Path]) -> None:
    """What the child loads late is Python's own, whatever the submission's files are called."""
    text = """
        import functools

        def f(size):
            return bytes(size)

        @functools.wraps(f)
        def g(*args):
            raise ValueError("kaputt")
    """
    folder = module(text)
    for name in ("base64", "hashlib", "inspect", "linecache", "queue", "tokenize", "traceback"):
        (folder / f"{name}.py").write_text("raise ImportError('mine')\n")
    plainly = setting(folder)
    asked = replace(plainly, assignment=replace(plainly.assignment, functions={"f": (), "g": ()}))
    calls = (steps.call("f", 100_000), steps.call("g", 1), steps.call("f", steps.ThreadQueue([])))
    imported, large, raising, queued = module_run.run_module(
        Scenario(steps=calls, start_method="fork"), asked
    )
    assert imported.facts.functions == {
        name: [("size", "POSITIONAL_OR_KEYWORD", False)] for name in "fg"
    }
    assert large.value == plain_data.encode(bytes(100_000))
    assert raising.error is not None
    assert (raising.error.message, raising.error.line) == ("kaputt", 'raise ValueError("kaputt")')
    assert (queued.ending, queued.error and queued.error.type) == (Ending.RAISED, "TypeError")
