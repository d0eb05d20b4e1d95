"""Runs of a grading whose supervisor is killed, and gradings that are closed; real processes."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from pytest_mpgrade import steps
from pytest_mpgrade.errors import SupervisorError
from pytest_mpgrade.records import Ending, Scenario
from pytest_mpgrade.run.client import module_run
from pytest_mpgrade.student import Student
from pytest_mpgrade.student.runs import RunCache
from support.ours import Ours, is_server
from support.running import setting, wait_until
from support.runs import OBSERVERS, encoded

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="observes with ptrace and /proc"
)

# --- gradings


def test_equal_scenarios_are_run_once(run_cache: Callable[..., RunCache]) -> None:
    """Two tests that ask for the same call share one run; another start method is another run."""
    text = "import os\n\ndef f():\n    return os.getpid()\n"
    shared = run_cache(text)
    runs = [Student(shared, method).call("f") for method in ("fork", "fork", "spawn")]
    assert runs[0] is runs[1]
    assert runs[0].encoded != runs[2].encoded


def test_plainest_call_that_hangs_saves_the_others(student: Callable[..., Student]) -> None:
    """While the call that is relied on does not return, no other call of the function is made."""
    one = student(
        "import threading\n\ndef f(x):\n    threading.Event().wait()\n\ndef g():\n    return 1\n"
    )
    (stuck,) = one.rely_on(steps.call("f", 1))
    assert stuck.ending is Ending.HUNG
    assert one.call("f", 2).ending is Ending.NOT_TRIED
    assert one.call("g").encoded == encoded(1)


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
    found = [process for process in psutil.Process().children(recursive=True) if is_server(process)]
    return found if servers else [child for server in found for child in server.children()]


def kill_when(began: Path, *, servers: bool, number: int = signal.SIGKILL) -> threading.Thread:
    """Start a thread that sends a signal to whoever supervises a run, or to its server, as soon as
    the call has begun.
    """

    def kill() -> None:
        if wait_until(began.exists):
            for process in supervisors(servers=servers):
                if process.children():
                    process.send_signal(number)

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


@pytest.mark.parametrize("servers", [True, False], ids=["server", "supervisor"])
def test_stopped_server_goes_on(module: Callable[[str], Path], servers: bool) -> None:
    """Another run of the same grading may stop a server where nothing keeps its signals away."""
    folder = module(
        """
        import os
        import time

        def f():
            open(os.path.join(os.path.dirname(__file__), "began"), "w").close()
            time.sleep(0.5)
            return 1
        """
    )
    thread = kill_when(folder / "began", servers=servers, number=signal.SIGSTOP)
    scenario = Scenario(steps=(steps.call("f"),), start_method="fork")
    # A stopped server has its report already, and is asked again.
    for _ in range(2):
        run = module_run.run_module(scenario, setting(folder, seconds=3.0))[1]
        thread.join()
        assert (run.ending, run.encoded) == (Ending.RETURNED, encoded(1))


def test_killed_supervisor_is_tried_again(module: Callable[[str], Path]) -> None:
    """A grading tries a run again whose supervisor broke; the second try counts."""
    folder = module(WAITS_ONCE)
    thread = kill_when(folder / "began.now", servers=False)
    shared = RunCache(setting(folder))
    try:
        run = Student(shared, "fork").call("f", 1)
        assert (folder / "began").read_text() == "x" * 2
        assert (run.ending, run.encoded) == (Ending.RETURNED, encoded(1))
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
