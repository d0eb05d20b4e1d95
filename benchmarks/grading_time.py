"""What a grading costs: wall time and CPU time, one after the other on an idle machine.

Prints the median of each, and what plain tests with a time limit cost for the same submission
(`plain_pytest/`, which needs pytest-timeout): those say less, and a hang ends them only by its time
limit. CPU time is that of the whole machine, so that processes count that nobody waited for.

The first line says how fast the machine is just now: virtual machines differ by a factor of two
from one hour to the next, and figures of two days compare only by it.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_mpgrade.cli.verify_cases import wrong_solution
from pytest_mpgrade.course.assignment import find_assignment, shipped
from pytest_mpgrade.system import machine

ROOT = Path(__file__).resolve().parent.parent
PLAIN = ROOT / "benchmarks" / "plain_pytest" / "test_plainly.py"
QUICK = "not test_speed and not races"
LIMIT = 180.0
"""Seconds of one run: a plain pytest never ends where a worker is not told to stop."""
WRONG = ("hangs_on_raise", "never_joins")


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A command that is timed."""

    name: str
    command: tuple[str, ...]


def pytest_of(assignment: str, submission: Path, *more: str) -> tuple[str, ...]:
    """Return the command of a grading by pytest."""
    return (
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
        *(f"--mpgrade={assignment}", f"--mpgrade-submission={submission}", *more),
    )


def commands(folder: Path) -> list[Measured]:
    """Return what is timed; wrong solutions are written into *folder*."""
    untimed = ("-k", "not test_speed")
    submissions = {"reference": ROOT / "reference" / "mp_apply" / "cv_funcs.py"}
    for name in WRONG:
        (folder / name).mkdir()
        submissions[name] = wrong_solution(find_assignment("mp_apply"), name).file(folder / name)
    asked = {"whole": (), "untimed": untimed, "untimed, no races": ("-k", QUICK)}
    found = [
        Measured(
            name=f"{each.name}, {how}",
            command=pytest_of(each.name, ROOT / "reference" / each.name, *more),
        )
        for each in shipped()
        for how, more in asked.items()
        if how == "whole" or any(criterion.name == "races" for criterion in each.criteria)
    ]
    for name, path in submissions.items():
        if name != "reference":
            command = pytest_of("mp_apply", path, *untimed)
            found.append(Measured(name=f"mp_apply, {name}, untimed", command=command))
        if importlib.util.find_spec("pytest_timeout"):
            copy = folder / f"plain-{name}"
            copy.mkdir()
            (copy / "cv_funcs.py").write_bytes(path.read_bytes())
            (copy / PLAIN.name).write_bytes(PLAIN.read_bytes())
            plain = (sys.executable, "-m", "pytest", "-q", "-p", "no:mpgrade", str(copy))
            found.append(Measured(name=f"plain pytest, {name}", command=plain))
    return found


def milliseconds_of_a_loop() -> float:
    """Return the CPU milliseconds of a bare loop of a million rounds, the median of nine."""
    taken = []
    for _ in range(9):
        start = time.process_time()
        for _ in range(1_000_000):
            pass
        taken.append(1000 * (time.process_time() - start))
    return statistics.median(taken)


def costs(command: Sequence[str]) -> tuple[float, float]:
    """Run a command once; return its wall seconds, and the machine's CPU seconds meanwhile."""
    start, used = time.perf_counter(), machine.used()
    with tempfile.TemporaryDirectory() as folder:
        running = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.wait(LIMIT)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    return time.perf_counter() - start, machine.used() - used


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--only", default="", metavar="TEXT", help="names that contain it")
    arguments = parser.parse_args()
    print(f"a loop of a million rounds: {milliseconds_of_a_loop():.0f} ms", flush=True)
    with tempfile.TemporaryDirectory(prefix="mpgrade-benchmark-") as folder:
        for each in commands(Path(folder)):
            if arguments.only in each.name:
                taken = [costs(each.command) for _ in range(arguments.repeat)]
                wall, cpu = (statistics.median(column) for column in zip(*taken, strict=True))
                print(f"{each.name:40} {wall:6.1f} s wall, {cpu:6.1f} s CPU", flush=True)
    if not importlib.util.find_spec("pytest_timeout"):
        print("plain pytest: not measured, for want of pytest-timeout")


if __name__ == "__main__":
    main()
