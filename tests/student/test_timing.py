"""Timings of real programs, and the lock that gives them the machine: facts are asserted here, and
no times.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pytest_mpgrade import checks, steps, tasks
from pytest_mpgrade.batch.job import Job
from pytest_mpgrade.batch.local_pool import SideBySide
from pytest_mpgrade.cli.verify_cases import wrong_solution
from pytest_mpgrade.course import assignment
from pytest_mpgrade.grade.pytest_run import Stop
from pytest_mpgrade.judge import speedup_statistics
from pytest_mpgrade.records import Ending, Outcome, Pair, SpeedRules, TimedStart
from pytest_mpgrade.run.client.request import Setting
from pytest_mpgrade.student import Student
from pytest_mpgrade.student.pair_figures import slowdown
from pytest_mpgrade.student.runs import RunCache
from pytest_mpgrade.student.timing import Timer
from pytest_mpgrade.submission.discover import discover
from pytest_mpgrade.system import machine_lock, quotas
from pytest_mpgrade.system.linux import cgroups
from support.running import ROOT, MakeRuns, variables, wait_until

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="needs ptrace, /proc and flock"
)


@pytest.fixture
def graded() -> Iterator[Callable[[Path], RunCache]]:
    """Return a function that makes a grading of `mp_apply` for a submission's path; closed when the
    test is over.
    """
    made: list[RunCache] = []

    def make(path: Path) -> RunCache:
        asked = assignment.find_assignment("mp_apply")
        made.append(RunCache(Setting(assignment=asked, submission=discover(path, asked))))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def wrong(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that returns the file of the wrong solution of a name."""
    return lambda name: wrong_solution(assignment.find_assignment("mp_apply"), name).file(tmp_path)


@pytest.fixture
def timed(graded: Callable[[Path], RunCache]) -> Callable[[Path, str], Student]:
    """Return a function that makes a student whose calls can be timed."""
    reference = ROOT / "reference" / "mp_apply"
    return lambda path, method: Student(graded(path), method, lambda: graded(reference))


# --- timings


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_reference_keeps_up_with_itself(timed: Callable[[Path, str], Student], method: str) -> None:
    """Timed against itself the reference loses no point, and what was measured is told."""
    run = timed(ROOT / "reference" / "mp_apply", method).time("mp_apply")
    finding = checks.keeps_up_with_reference()(run)
    assert finding.outcome in (Outcome.PASSED, Outcome.INCONCLUSIVE), finding.message
    assert run.pairs[0].computing is not None
    for pair in run.pairs:  # a noisy one may look so slow that the next does not compute
        assert pair.computing is None or min(pair.computing) > 0
        assert min(*pair.starting, *pair.working, *pair.wall) > 0
    assert [pair.serial > 0 for pair in run.pairs] == [
        number < 2 for number in range(len(run.pairs))
    ]
    assert finding.evidence["machine"]["threads of BLAS and OpenMP"] == 1


@pytest.mark.parametrize(
    ("seconds", "cores", "longer"),
    [
        pytest.param(0.064, 2.0, 1.0, id="a free machine"),
        pytest.param(0.0, 2.0, 1.0, id="unknown"),
        pytest.param(0.16, 2.0, 2.0, id="busy or slow"),
        pytest.param(0.16, 1.0, 1.0, id="one core for two processes"),
        pytest.param(0.64, 0.5, 2.0, id="busy or slow, and a quota of half a core"),
        pytest.param(0.16, 8.0, 2.0, id="more cores than processes"),
    ],
)
def test_slow_machine_is_given_longer(seconds: float, cores: float, longer: float) -> None:
    """Four tasks in each of two processes, each of 16 ms where nothing is in the way."""
    pair = Pair(waiting=(0.02, 0.02), computing=None, starting=(0.0, 0.0), wall=(9.0, seconds))
    assert slowdown(pair, 2, cores) == pytest.approx(longer)


def test_nap_is_found_with_its_line(
    timed: Callable[[Path, str], Student], wrong: Callable[[str], Path]
) -> None:
    """A parent that sleeps between tasks never has full points, and where it costs points its line
    is named.
    """
    student = timed(wrong("naps_between_tasks"), "fork")
    (finding,) = student.check(student.time("mp_apply"), checks.keeps_up_with_reference())
    assert finding.outcome in (Outcome.FAILED, Outcome.INCONCLUSIVE), finding
    if finding.outcome is Outcome.FAILED:
        assert "time.sleep(0.1)" in finding.message
        assert "on tasks that only wait" in finding.message


def test_one_process_is_timed_in_every_pair_where_that_is_asked_for(
    timed: Callable[[Path, str], Student], wrong: Callable[[str], Path]
) -> None:
    """Also where the submission is so slow on tasks that wait that no other tasks would be
    needed.
    """
    run = timed(wrong("naps_between_tasks"), "fork").time("mp_apply", against_serial=True)
    assert len(run.pairs) >= 5
    assert all(pair.serial > 0 for pair in run.pairs)
    finding = checks.faster_than_serial()(run)
    assert finding.outcome in (Outcome.FAILED, Outcome.INCONCLUSIVE), finding


@pytest.mark.parametrize(
    ("name", "by"),
    [("serial", "in_children"), ("lock_around_task", "met"), ("process_per_task", "workers")],
)
def test_other_faults_are_not_timed(
    timed: Callable[[Path, str], Student], wrong: Callable[[str], Path], name: str, by: str
) -> None:
    """Whoever does not run the tasks in the asked number of processes has that fault, and not this
    one as well.
    """
    student = timed(wrong(name), "fork")
    (finding,) = student.check(student.time("mp_apply"), checks.keeps_up_with_reference())
    assert (finding.outcome, finding.undecided_by) == (Outcome.SKIPPED, by), finding.message


def test_series_of_the_reference(timed: Callable[[Path, str], Student]) -> None:
    """A scaling series has each number of processes in each round, and a serial fraction."""
    student = timed(ROOT / "reference" / "mp_apply", "fork")
    run = student.scale("mp_apply", workers=(1, 2, 4))
    assert {n: len(times) for n, times in run.times.items()} == {1: 3, 2: 3, 4: 3}
    (finding,) = student.check(run, checks.scales())
    assert finding.outcome is Outcome.PASSED
    assert finding.evidence["serial fraction"] < 1


def test_clock_starts_when_the_workers_are_there(play: MakeRuns) -> None:
    """A slow start is not part of what tasks take, and is told apart from it; so is the CPU time of
    workers.
    """
    text = """
        import multiprocessing as mp
        import time

        def work(queue):
            for func, args in iter(queue.get, "STOP"):
                func(*args)

        def mp_apply(tasks, n_processes):
            queue = mp.SimpleQueue()
            workers = []
            for _ in range(n_processes):
                time.sleep(0.3)
                workers.append(mp.Process(target=work, args=(queue,)))
                workers[-1].start()
            for item in [*tasks, "STOP", "STOP"]:
                queue.put(item)
            for p in workers:
                p.join()
    """
    workload = tasks.timed_spins(6, 2, 400_000)
    gates_shut = TimedStart(n=2, delay=0.2)
    run = play(text, steps.call("mp_apply", workload, n_processes=2, gates=gates_shut))[-1]
    assert run.ending is Ending.RETURNED
    gates = run.trace.gates
    assert gates is not None
    assert (gates.met, gates.most_inside) == (True, 2)
    assert gates.there > 0.6
    assert gates.opened > gates.there + 0.19
    assert gates.spent == pytest.approx(run.seconds - gates.opened, abs=0.05)
    ended = sum(process.cpu for process in run.trace.processes)
    assert gates.computed is not None
    assert 0.5 * ended < gates.computed < ended + 0.2


# --- having the machine alone

HOLDS = """
import contextlib, signal, sys
from pytest_mpgrade.system import machine_lock
machine_lock.DOOR, machine_lock.ROOM = sys.argv[2:]
with getattr(machine_lock, sys.argv[1])():
    print("held", flush=True)
    signal.pause()
"""


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Use two folders of this test's, so that it keeps no real grading waiting; and all the time
    that is needed.
    """
    monkeypatch.setattr(machine_lock, "ROOM_SECONDS", 60.0)
    monkeypatch.setattr(machine_lock, "CALM_CORES", 0.0)  # somebody always computes
    found = (str(tmp_path / "door"), str(tmp_path / "room"))
    for name, place in zip(("DOOR", "ROOM"), found, strict=True):
        Path(place).mkdir()
        monkeypatch.setattr(machine_lock, name, place)
    return found


@pytest.fixture
def holder(places: tuple[str, str]) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Return a function that starts a process which holds the lock in the given way."""
    started: list[subprocess.Popen[str]] = []

    def start(how: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDS, how, *places], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def enter(how: Callable[[], Any]) -> tuple[threading.Thread, list[object]]:
    """Enter the lock in a thread; the list gets what that gave, once it is in."""
    got: list[object] = []

    def run() -> None:
        with how() as found:
            got.append(found)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, got


@pytest.mark.parametrize(
    ("held", "how"),
    [("alone", machine_lock.alone), ("alone", machine_lock.shared), ("shared", machine_lock.alone)],
)
def test_holder_is_waited_for_and_a_killed_one_lets_go(
    holder: Callable[[str], subprocess.Popen[str]],
    places: tuple[str, str],
    held: str,
    how: Callable[[], Any],
) -> None:
    """A timing and another run exclude each other; the kernel frees what a killed holder held, and
    no file is left.
    """
    process = holder(held)
    thread, got = enter(how)
    thread.join(0.2)
    assert thread.is_alive()
    assert got == []
    process.send_signal(signal.SIGKILL)
    thread.join(30)
    assert len(got) == 1
    assert [list(Path(place).iterdir()) for place in places] == [[], []]


def test_runs_share_the_machine(holder: Callable[[str], subprocess.Popen[str]]) -> None:
    """Runs that are not timings wait for no other."""
    holder("shared")
    holder("shared")
    thread, got = enter(machine_lock.shared)
    thread.join(30)
    assert len(got) == 1


@pytest.fixture
def timer(graded: Callable[[Path], RunCache]) -> Timer:
    """Return a timer of the reference against itself."""
    setting = graded(ROOT / "reference" / "mp_apply").setting
    return Timer(
        own=setting,
        theirs=setting,
        function="mp_apply",
        n=2,
        start_method="fork",
        tell=lambda _: None,
    )


def test_clear_timing_waits_for_no_run(
    holder: Callable[[str], subprocess.Popen[str]], timer: Timer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where pairs are clear that were taken beside another grading, nobody is waited for."""
    monkeypatch.setattr(speedup_statistics, "decided", lambda *_: True)
    monkeypatch.setattr(machine_lock, "ROOM_SECONDS", 3600.0)
    holder("shared")
    timing = timer.take(SpeedRules())
    assert (len(timing.pairs), timing.machine.alone) == (1, False)


def test_timing_that_is_not_clear_is_made_again_alone(
    holder: Callable[[str], subprocess.Popen[str]], timer: Timer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where pairs are not clear that were taken beside another grading, its end is waited for."""
    monkeypatch.setattr(speedup_statistics, "decided", lambda *_: False)
    other = holder("shared")
    began, wait = threading.Event(), machine_lock.alone

    def alone(tell: Callable[[str], None]) -> contextlib.AbstractContextManager[bool]:
        began.set()
        return wait(tell)

    monkeypatch.setattr(machine_lock, "alone", alone)
    with ThreadPoolExecutor() as threads:
        timing = threads.submit(timer.take, SpeedRules(pairs=1))
        assert began.wait(60)
        assert not timing.done()
        other.kill()
        assert timing.result(60).machine.alone


@pytest.mark.usefixtures("places")
def test_timing_waits_for_nobody_on_a_free_machine(
    timer: Timer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no other run is made, a timing is taken once, whether it is clear or not."""
    monkeypatch.setattr(speedup_statistics, "decided", lambda *_: False)
    timing = timer.take(SpeedRules(pairs=2))
    assert (len(timing.pairs), timing.machine.alone) == (2, True)


def test_a_run_that_goes_on_and_on_is_not_waited_for(
    holder: Callable[[str], subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A timing gives runs that have begun a moment; after that it is made beside them, and says
    so.
    """
    monkeypatch.setattr(machine_lock, "ROOM_SECONDS", 0.2)
    holder("shared")
    with machine_lock.alone() as got:
        assert got is False


def test_a_run_that_hangs_is_not_waited_for(
    holder: Callable[[str], subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nobody computes, a timing need not wait for a run that waits itself; it says that it
    was not alone.
    """
    monkeypatch.setattr(machine_lock, "CALM_CORES", 1000.0)  # whatever other tests do
    holder("shared")
    with machine_lock.alone() as got:
        assert got is False


def test_who_computes_is_seen() -> None:
    """One core that is used is enough: here by who asks again and again."""
    calm, end = machine_lock.nobody_computes(), time.monotonic() + 2 * machine_lock.CALM_SECONDS
    while time.monotonic() < end:
        assert not calm()


def test_a_timing_is_not_kept_out_by_a_row_of_runs(
    holder: Callable[[str], subprocess.Popen[str]],
) -> None:
    """Runs that come while a timing waits for its turn come after it."""
    first = holder("shared")
    timing, timed = enter(machine_lock.alone)
    assert wait_until(lambda: not _may_come_in())
    later, ran = enter(machine_lock.shared)
    later.join(0.2)
    assert (timed, ran) == ([], [])
    first.kill()
    timing.join(30)
    later.join(30)
    assert (timed, ran) == ([True], [None])


def _may_come_in() -> bool:
    """Tell whether nobody stands in the door."""
    import fcntl
    import os

    file = os.open(machine_lock.DOOR, os.O_RDONLY)
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(file)
    return True


def test_waiting_is_shown_and_bounded(
    holder: Callable[[str], subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever holds the machine for ever is not waited for that long: the timing says that it was
    not alone.
    """
    monkeypatch.setattr(machine_lock, "MOST_SECONDS", 0.5)
    monkeypatch.setattr(machine_lock, "SHOWN_SECONDS", 0.1)
    holder("alone")
    told: list[str] = []
    with machine_lock.alone(told.append) as got:
        assert got is False
    assert told == ["waiting for a timing of another grading on this machine (at most 0.5 s)"]


def test_batch_that_is_stopped_waits_for_no_timing(
    holder: Callable[[str], subprocess.Popen[str]],
) -> None:
    """A grading is not started beside a timing; Ctrl-C does not wait for that timing's end."""
    holder("alone")
    stop, begun = Stop(), threading.Event()

    def grade(job: Job) -> Any:
        begun.set()
        return job

    jobs = [Job(id="ada", path=Path("ada"), folder="ada")]
    thread = threading.Thread(target=lambda: list(SideBySide(1, stop)(jobs, grade)))
    thread.start()
    assert not begun.wait(0.3)
    stop.set()
    assert begun.wait(30)
    thread.join(30)


# --- cores


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"a/b/cpu.max": "50000 100000", "a/cpu.max": "max 100000"}, [0.5]),
        (
            {"a/b/cpu.max": "max 100000", "a/cpu.max": "150000 100000", "cpu.max": "300000 100000"},
            [1.5, 3.0],
        ),
        ({"a/b/cpu.cfs_quota_us": "-1", "a/b/cpu.cfs_period_us": "100000"}, []),
        ({"a/cpu.cfs_quota_us": "250000", "a/cpu.cfs_period_us": "100000"}, [2.5]),
        ({"a/b/cpu.max": "nonsense"}, []),
    ],
)
def test_quotas_of_all_groups_above(
    tmp_path: Path, files: dict[str, str], cores: list[float]
) -> None:
    """A container's quota stands in its own group or above it, in version 2 or 1; what cannot be
    read is none.
    """
    (tmp_path / "a" / "b").mkdir(parents=True)
    for name, text in files.items():
        (tmp_path / name).write_text(text + "\n")
    version_1 = any("cfs" in name for name in files)
    own = {"cpu" if version_1 else "": (str(tmp_path), str(tmp_path / "a" / "b"))}
    assert list(quotas.core_quotas(own)) == cores


@pytest.mark.parametrize(
    ("files", "amounts"),
    [
        ({"a/b/memory.max": "6000000000", "a/memory.max": "max"}, [6_000_000_000]),
        (
            {"a/memory.max": "4000000000", "memory.max": "8000000000"},
            [4_000_000_000, 8_000_000_000],
        ),
        (
            {
                "a/b/memory.limit_in_bytes": "9223372036854771712",
                "a/memory.limit_in_bytes": "5000000000",
            },
            [5_000_000_000],
        ),
        ({"a/b/memory.max": "nonsense"}, []),
    ],
)
def test_memory_limits_of_all_groups_above(
    tmp_path: Path, files: dict[str, str], amounts: list[int]
) -> None:
    """Version 1 writes no limit as a very large number, version 2 as "max"."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    for name, text in files.items():
        (tmp_path / name).write_text(text + "\n")
    version_1 = any("limit_in_bytes" in name for name in files)
    own = {"memory" if version_1 else "": (str(tmp_path), str(tmp_path / "a" / "b"))}
    assert list(quotas.memory_limits(own)) == amounts


@pytest.fixture
def half_a_core() -> Iterator[list[str]]:
    """Return the beginning of a command line whose rest runs in a control group of its own, with
    half a core.
    """
    own = cgroups.own_groups()
    version_1 = {"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": "50000"}
    controller, quota = ("cpu", version_1) if "cpu" in own else ("", {"cpu.max": "50000 100000"})
    folder = Path(own.get(controller, ("", "/nowhere"))[1], f"mpg-tests-half-{os.getpid()}")
    try:
        folder.mkdir()
        for name, value in quota.items():
            (folder / name).write_text(value)
    except OSError as error:
        if folder.exists():
            folder.rmdir()
        pytest.skip(f"this machine lacks the capability: a CPU quota ({error})")
    yield ["sh", "-c", 'echo $$ > "$0" && exec "$@"', str(folder / "cgroup.procs")]
    assert wait_until(lambda: not (folder / "cgroup.procs").read_text())
    folder.rmdir()


def test_half_a_core_costs_no_points(tmp_path: Path, half_a_core: list[str]) -> None:
    """With half a core, which is what Gradescope gives, the reference loses nothing, and is told
    how little it had.
    """
    command = [
        sys.executable,
        "-m",
        "pytest_mpgrade",
        "check",
        "mp_apply",
        str(ROOT / "reference" / "mp_apply"),
    ]
    done = subprocess.run(
        [*half_a_core, *command, "-k", "speed", "--out", str(tmp_path)],
        cwd=tmp_path,
        env=variables(),
        capture_output=True,
        encoding="utf-8",
        timeout=900,
        check=False,
    )
    found = json.loads((tmp_path / "mp_apply" / "result.json").read_text("utf-8"))
    (check,) = found["checks"]
    assert check["outcome"] in ("passed", "inconclusive"), done.stdout
    assert "0.5 cores" in check["message"] or check["evidence"]["machine"]["cores"] == 0.5
    if check["outcome"] == "inconclusive":
        assert "not deducted" in check["message"]
