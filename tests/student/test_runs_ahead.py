"""Runs that are made before a test asks for them: how many at a time, in which order, and how they
become known.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_mpgrade import steps
from pytest_mpgrade.records import Ending, Scenario
from pytest_mpgrade.student import admission
from pytest_mpgrade.student.runs import RunCache
from pytest_mpgrade.system import machine, quotas
from support.running import wait_until
from support.small_assignment import grade, outcomes, put, result

CORES = 2
GIGABYTE = 1_000_000_000

TOML = """
name = "twice"
title = "Rehearsed"
module = "twice.py"
points = 1
functions = ["put(path)"]
start_methods = ["fork", "spawn"]
test = "test_twice.py"
criteria = [{name = "all", points = 1}]
"""
SUBMISSION = """
from pathlib import Path

def put(path):
    Path(path).touch()
    return len(path)
"""
TESTS = '''
"""The first test waits for what the second alone asks for."""

import time
from pathlib import Path

import pytest
from pytest_mpgrade import checks, steps

FOLDER = Path({folder!r})
pytestmark = pytest.mark.criterion("all")


@pytest.fixture
def chosen(student):
    return student.start_method


def test_first(student, chosen):
    """It waits."""
    deadline = time.monotonic() + 60
    while not (FOLDER / f"second.{{chosen}}").exists():
        assert time.monotonic() < deadline, "nobody has made it ahead"
        time.sleep(0.02)


{mark}
def test_second(student, chosen):
    """It is the only one to ask for its file."""
    with open(FOLDER / "called", "a") as file:
        file.write(f"{{chosen}} ")
    path = str(FOLDER / f"second.{{chosen}}")
    run = student.call("put", path)
    student.check(run, checks.returns_value(len(path), hint=""))
    assert run.ending == "returned"


{mark}
def test_skips(student):
    """It is skipped once."""
    pytest.skip("not today")
'''


@pytest.fixture
def machine_is(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that says how many cores this machine has, how many are used, and how much
    memory is free.
    """

    def say(
        *,
        cores: int = 4,
        used: float,
        available: int = 8 * GIGABYTE,
        total: int = 32 * GIGABYTE,
        quota: float = 9,
    ) -> None:
        monkeypatch.setattr(quotas, "usable_cores", lambda: CORES)
        monkeypatch.setattr(quotas, "cores", lambda: min(quota, CORES))
        monkeypatch.setattr(machine, "memory_bytes", lambda: total)
        monkeypatch.setattr("os.cpu_count", lambda: cores)
        monkeypatch.setattr(machine, "used", lambda: used * time.monotonic())
        monkeypatch.setattr(machine, "available_bytes", lambda: available)

    return say


def inside(wanted: int) -> tuple[int, Callable[[], None]]:
    """Let *wanted* + 2 threads ask for room; return how many have it when it is *wanted* of them,
    or time is up.
    """
    room, leave = admission.Admission(GIGABYTE), threading.Event()
    entered: list[int] = []

    def run(number: int) -> None:
        with room:
            entered.append(number)
            leave.wait(60)

    threads = [
        threading.Thread(target=run, args=(number,), daemon=True) for number in range(wanted + 2)
    ]
    for thread in threads:
        thread.start()

    def end() -> None:
        leave.set()
        for thread in threads:
            thread.join(60)
        assert len(entered) == len(threads)

    assert wait_until(lambda: len(entered) >= wanted, 30.0)
    wait_until(lambda: len(entered) > wanted, 4 * admission.WINDOW_SECONDS)
    return len(entered), end


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        pytest.param({"used": 0.1}, admission.MOST, id="idle cores"),
        pytest.param({"used": 3.9}, admission.ALWAYS, id="busy cores"),
        pytest.param(
            {"used": 0.1, "available": GIGABYTE // 2}, admission.ALWAYS, id="little memory is free"
        ),
        pytest.param({"used": 0.1, "total": 7 * GIGABYTE}, 6, id="little memory"),
        pytest.param({"used": 0.1, "total": GIGABYTE // 2}, 1, id="hardly any memory"),
        pytest.param({"used": 0.1, "quota": 1.5}, 3, id="a quota"),
    ],
)
def test_runs_at_a_time(
    machine_is: Callable[..., None], options: dict[str, float], wanted: int
) -> None:
    """A few runs are always made, more only while cores and memory are free, and all of them in the
    end.
    """
    machine_is(**options)
    found, end = inside(wanted)
    end()
    assert found == wanted


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="observes with ptrace")
def test_first_of_each_fixture_is_made_first(
    run_cache: Callable[..., RunCache], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plays of a lower place overtake those that wait already; a run that is asked for while it
    waits is made once.
    """
    shared = run_cache("def f(n):\n    return n\n")
    made: list[str] = []
    make, go_on = shared._make, threading.Event()

    def noted(scenario: Scenario) -> object:
        made.append(scenario.steps[0].label)
        go_on.wait(60)
        return make(scenario)

    def scenario(n: int) -> Scenario:
        return Scenario(steps=(steps.call("f", n),), start_method="fork")

    monkeypatch.setattr(shared, "_make", noted)
    monkeypatch.setattr(shared._admission, "_has_room", lambda: shared._admission._running < 1)
    shared.prepare(scenario(0))
    assert wait_until(lambda: made)
    for n, place in ((1, 5), (2, 1), (3, 1), (4, 0)):
        shared.prepare(scenario(n), place)
    go_on.set()
    assert shared.run(scenario(1))[-1].ending is Ending.RETURNED
    assert wait_until(lambda: len(made) == 5)
    shared.run(scenario(3))
    assert [label for label in made if label != "f(1)"] == ["f(0)", "f(4)", "f(2)", "f(3)"]
    assert made.count("f(1)") == 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="observes with ptrace")
def test_rehearsal(tmp_path: Path) -> None:
    """What a later test will ask for is made while the first one runs; each test has one outcome
    all the same.
    """
    write_course(tmp_path, "@pytest.mark.rehearsed")
    done = grade(tmp_path, "handed_in", "--mpgrade-isolation=none", "-p", "no:xdist")
    found = outcomes(result(tmp_path / "out"))
    assert done.returncode == 0, done.stdout
    assert sorted(found.values()) == ["passed"] * 4 + ["skipped"] * 2, found
    assert sorted((tmp_path / "called").read_text().split()) == ["fork", "fork", "spawn", "spawn"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="observes with ptrace")
def test_unmarked_tests_are_called_once(tmp_path: Path) -> None:
    """A test that is not marked runs in its turn only."""
    write_course(tmp_path, "")
    for method in ("fork", "spawn"):
        put(tmp_path / f"second.{method}", "")
    assert grade(tmp_path, "handed_in", "--mpgrade-isolation=none").returncode == 0
    assert sorted((tmp_path / "called").read_text().split()) == ["fork", "spawn"]


def write_course(folder: Path, mark: str) -> None:
    """Write an assignment of two tests, and a submission."""
    put(folder / "course" / "twice" / "assignment.toml", TOML)
    put(folder / "course" / "twice" / "test_twice.py", TESTS.format(folder=str(folder), mark=mark))
    put(folder / "handed_in" / "twice.py", SUBMISSION)
