"""How surely races are found, and whether a right solution is ever accused.

Each program of `tests/racy` is right in nearly every plain run; it is called plainly many times,
and then explored some times. The reference and all right designs are explored as often: each
accusation of one is a fault. With `--load N` busy loops run beside.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_mpgrade import checks, steps, tasks
from pytest_mpgrade.course.assignment import find_assignment
from pytest_mpgrade.records import Assignment, Outcome, Scenario
from pytest_mpgrade.run.client.request import Setting
from pytest_mpgrade.student.exploration import AskedStep, Explorer
from pytest_mpgrade.student.runs import make_runs
from pytest_mpgrade.submission.discover import discover

ROOT = Path(__file__).resolve().parent.parent
WORKLOAD = tasks.uneven(7, 0.15)
CALL = steps.call("mp_apply", WORKLOAD, n_processes=2)
CHECKS = (
    checks.values_in_any_order(WORKLOAD),
    checks.ended_by_sentinel(),
    checks.no_leftovers(),
)
AT_ONCE = 20
"""Plain calls in one process."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """What came out for one program."""

    name: str
    right: str  # of the plain calls
    found: int
    times: int
    seconds: float
    said: str


def plainly(setting: Setting, method: str, count: int) -> str:
    """Make plain calls; return how many were right."""
    right = 0
    for _ in range(count // AT_ONCE):
        runs = make_runs(Scenario(steps=(CALL,) * AT_ONCE, start_method=method), setting)[1:]
        judged = [[check(run) for check in CHECKS] for run in runs]
        right += sum(all(each.outcome is not Outcome.FAILED for each in one) for one in judged)
    return f"{right}/{count // AT_ONCE * AT_ONCE}"


def row(path: Path, assignment: Assignment, arguments: argparse.Namespace) -> Row:
    """Measure one program."""
    setting = Setting(assignment=assignment, submission=discover(path, assignment))
    right = plainly(setting, arguments.method, arguments.plain)
    found, said, began = 0, "", time.monotonic()
    for _ in range(arguments.times):
        asked = [AskedStep(step=CALL, checks=CHECKS)]
        explored = Explorer(setting, arguments.method, asked).explore(arguments.seconds, 2)
        found += explored.broken is not None
        if explored.broken is not None:
            said = explored.broken.schedule.token
        elif not said:
            fails = f"fails plainly: {explored.plain.message}" if explored.plain else ""
            said = fails or f"{dict(explored.tried)}, unsure {explored.unsure}"
    seconds = (time.monotonic() - began) / arguments.times
    return Row(
        name=path.stem if path.suffix else "reference",
        right=right,
        found=found,
        times=arguments.times,
        seconds=seconds,
        said=said,
    )


@contextlib.contextmanager
def loops(count: int) -> Iterator[None]:
    """Run busy loops meanwhile."""
    command = [sys.executable, "-c", "while True: pass"]
    running = [subprocess.Popen(command) for _ in range(count)]
    try:
        yield
    finally:
        for each in running:
            each.kill()
            each.wait()


def measure(title: str, paths: Sequence[Path], arguments: argparse.Namespace) -> None:
    """Print a line for each program as it is done."""
    assignment = find_assignment("mp_apply")
    assignment = replace(assignment, limits=replace(assignment.limits, patience=2.0))
    print(f"{title}, {arguments.method}")
    for path in paths:
        if arguments.only in path.stem:
            got = row(path, assignment, arguments)
            print(
                f"  {got.name:26} plainly right {got.right:8} found {got.found} of {got.times},"
                f" {got.seconds:5.1f} s each  {got.said}"[:150],
                flush=True,
            )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5, help="explorations of each program")
    parser.add_argument("--plain", type=int, default=200, help="plain calls of each program")
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--method", default="fork")
    parser.add_argument("--load", type=int, default=0, metavar="N", help="busy loops beside")
    parser.add_argument("--only", default="", metavar="TEXT", help="names that contain it")
    parser.add_argument("--part", choices=("racy", "right"), default="")
    arguments = parser.parse_args()
    with loops(arguments.load):
        if arguments.part != "right":
            racy = sorted((ROOT / "tests" / "racy" / "mp_apply").glob("*.py"))
            measure("racy", racy, arguments)
        if arguments.part != "racy":
            designs = sorted((ROOT / "tests" / "designs" / "mp_apply").glob("*.py"))
            measure("right", [ROOT / "reference" / "mp_apply", *designs], arguments)


if __name__ == "__main__":
    main()
