"""What a call leaves behind when it returns: zombies, orphans, names, files; real processes."""

from __future__ import annotations

import os
import sys

import psutil
import pytest

from pytest_mpgrade import steps
from pytest_mpgrade.inside import plain_data
from pytest_mpgrade.records import Ending
from support.ours import Ours
from support.running import MakeRuns, wait_until
from support.runs import METHODS, OBSERVERS, PROC, encoded, values

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="observes with ptrace and /proc"
)


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
    assert run.encoded == encoded(left.pid)
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
    pid = int(run.encoded[1])
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
    assert len(run.encoded[1]) == 3
    for _, place in run.encoded[1]:
        assert not os.path.exists(place)
        assert f"{os.sep}mpgrade-" in place


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
