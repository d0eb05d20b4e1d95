"""What is seen of the processes of a run, and what they are given and give back; real processes."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from pytest_mpgrade import steps, tasks
from pytest_mpgrade.records import Ending
from support.running import MakeRuns
from support.runs import METHODS, OBSERVERS, RIGHT, encoded, values

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="observes with ptrace and /proc"
)

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
    pids = [int(item[1]) for item in run.encoded[1]]
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
    ends = {pid: codes.get(pid, "unseen") for pid in (int(item[1]) for item in run.encoded[1])}
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
    assert run.encoded == encoded(worker.pid)
    assert [(event.key, event.pid) for event in run.trace.events] == [("forged", worker.pid)]


@METHODS
def test_processes_of_an_executors_thread(play: MakeRuns, method: str) -> None:
    """Python ends a process that such a thread has forked with status 1, when its work is done;
    that is none of the submission's.
    """
    text = """
        import multiprocessing as mp
        from concurrent.futures import ThreadPoolExecutor

        def work():
            pass

        def start():
            p = mp.Process(target=work)
            p.start()
            p.join()
            return p.exitcode

        def f():
            with ThreadPoolExecutor(1) as threads:
                return threads.submit(start).result()
    """
    run = play(text, steps.call("f"), method=method)[1]
    (child,) = (each for each in run.trace.processes if not each.helper)
    assert (run.value, child.exitcode) == (0, 0)


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
    assert run.encoded == encoded(method)
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
    assert run.encoded == encoded(method)
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
    assert run.encoded == encoded([True, 3, 0])


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
    assert (run.encoded, later.encoded) == (encoded(1), encoded(2))
    assert set(run.printed) == {"x"}
    assert len(run.printed) <= 1_000_000
    assert len(later.printed) <= 1_000_000
    assert len(run.stderr) <= 20_000


def test_answer_that_is_too_large(play: MakeRuns) -> None:
    """A value beyond the cap is not read, and the run says so."""
    run = play("def f():\n    return list(range(100_000))\n", steps.call("f"), answer_bytes=10_000)[
        1
    ]
    assert run.encoded == ["object", "an answer that the grader cannot read"]


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
    assert (run.encoded, later.encoded) == (encoded(1), encoded(2))


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
    assert run.encoded == ["list", [["object", "cv_funcs.Equal"], ["int", "1"]]]


def test_folder_of_the_submission_is_left_alone(play: MakeRuns, tmp_path: Path) -> None:
    """Nothing is written beside a submission, also when worker processes import it."""
    play(RIGHT, steps.call("mp_apply", tasks.square([1])), method="spawn")
    assert os.listdir(tmp_path / "submission1") == ["cv_funcs.py"]


def test_signals_are_named_as_the_platform_has_them() -> None:
    """The numbers that these tests write out are those of this platform."""
    assert (signal.SIGABRT, signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM) == (6, 9, 11, 15)


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
