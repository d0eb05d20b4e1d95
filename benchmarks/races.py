"""How surely races are found, and whether a right solution is ever accused.

Each program of `tests/racy` is right in nearly every plain run; it is called plainly many times,
and then explored some times, as a grading does. The reference and all right designs are explored as
often: each accusation of one is a fault. With ``--load N`` busy loops run beside; ``taskset -c 0``
before the command leaves one core.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_mpgrade import checks, steps, tasks
from pytest_mpgrade.course.assignment import find_assignment
from pytest_mpgrade.grade.grading import grade
from pytest_mpgrade.grade.pytest_run import Options
from pytest_mpgrade.judge.check import Judge
from pytest_mpgrade.records import Assignment, Concern, Outcome, Scenario, Step
from pytest_mpgrade.report.parts import CheckPart
from pytest_mpgrade.run.client.request import Setting
from pytest_mpgrade.student.runs import make_runs
from pytest_mpgrade.submission.discover import discover

ROOT = Path(__file__).resolve().parent.parent
WORKLOAD = tasks.uneven(7, 0.15)
AT_ONCE = 20
"""Plain rounds in one process."""


@dataclass(frozen=True, kw_only=True)
class PlainRound:
    """The calls of a plain run, and the checks of the last one."""

    steps: tuple[Step, ...]
    checks: tuple[Judge, ...]


PLAIN = {
    "mp_apply": PlainRound(
        steps=(steps.call("mp_apply", WORKLOAD, n_processes=2),),
        checks=(
            checks.values_in_any_order(WORKLOAD),
            checks.ended_by_sentinel(),
            checks.no_leftovers(),
        ),
    ),
    "bg_task": PlainRound(
        steps=(
            steps.call("bg_task", (tasks.work.nap, (7, 0.15)), save="job", opaque=True),
            steps.call("bg_get", *steps.saved("job", 3), block=True),
        ),
        checks=(checks.hands_over(7), checks.child_joined(result=7)),
    ),
}


def plainly(setting: Setting, method: str, count: int) -> str:
    """Make plain calls; return how many were right."""
    round_, right = PLAIN[setting.assignment.name], 0
    size = len(round_.steps)
    for _ in range(count // AT_ONCE):
        scenario = Scenario(steps=round_.steps * AT_ONCE, start_method=method)
        runs = make_runs(scenario, setting)[size::size]
        judged = [[check(run) for check in round_.checks] for run in runs]
        right += sum(all(each.outcome is not Outcome.FAILED for each in one) for one in judged)
    return f"{right}/{count // AT_ONCE * AT_ONCE}"


def explored(path: Path, assignment: Assignment, keyword: str) -> tuple[CheckPart, ...]:
    """Return what the questions of the criterion races say in one grading."""
    with tempfile.TemporaryDirectory(prefix="mpgrade-") as scratch:
        result = grade(path, assignment, Path(scratch), options=Options(keyword=keyword)).result
    return tuple(check for check in result.checks if check.criterion == "races")


def _covered(part: CheckPart) -> str:
    """Return what was tried, and how many schedules broke a call, but not in each replay."""
    once = part.evidence.get("broke, but not in each replay")
    return f"{part.evidence.get('right under')}{f', {once} broke once' if once else ''}"


def measure(path: Path, assignment: Assignment, arguments: argparse.Namespace) -> str:
    """Return a line about one program."""
    setting = Setting(assignment=assignment, submission=discover(path, assignment))
    right = plainly(setting, arguments.method or "fork", arguments.plain)
    found, said, began = 0, "", time.monotonic()
    keyword = " and ".join(filter(None, ("races", arguments.method)))
    for _ in range(arguments.times):
        parts = explored(path, assignment, keyword)
        races = [each for each in parts if each.outcome is Outcome.FAILED]
        found += any(each.concern is Concern.RACE for each in races)
        said = said or next((each.message for each in races), "")
    seconds = (time.monotonic() - began) / arguments.times
    tried = "" if said else " | ".join(_covered(each) for each in parts)
    name = path.stem if path.suffix else "reference"
    return (
        f"  {name:26} plainly right {right:8} found {found} of {arguments.times},"
        f" {seconds:5.1f} s each  {said or tried}"
    )[: arguments.width]


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


def table(title: str, paths: Sequence[Path], arguments: argparse.Namespace) -> None:
    """Print a line for each program as it is done."""
    assignment = find_assignment(arguments.assignment)
    assignment = replace(
        assignment,
        limits=replace(assignment.limits, patience=2.0),
        explore=replace(
            assignment.explore, seconds=arguments.seconds or assignment.explore.seconds
        ),
    )
    print(title)
    for path in paths:
        if arguments.only in path.stem:
            print(measure(path, assignment, arguments), flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assignment", choices=PLAIN, default="mp_apply")
    parser.add_argument("--times", type=int, default=5, help="gradings of each program")
    parser.add_argument("--plain", type=int, default=200, help="plain calls of each program")
    parser.add_argument("--seconds", type=float, default=0.0, help="default: the assignment's")
    parser.add_argument("--method", default="", help="default: those that are asked for")
    parser.add_argument("--load", type=int, default=0, metavar="N", help="busy loops beside")
    parser.add_argument("--only", default="", metavar="TEXT", help="names that contain it")
    parser.add_argument("--part", choices=("racy", "right"), default="")
    parser.add_argument("--width", type=int, default=200, help="of a line")
    parser.add_argument("paths", nargs="*", type=Path, help="programs in place of both parts")
    arguments = parser.parse_args()
    name = arguments.assignment
    racy = sorted((ROOT / "tests" / "racy" / name).glob("*.py"))
    right = [ROOT / "reference" / name, *sorted((ROOT / "tests/designs" / name).glob("*.py"))]
    with loops(arguments.load):
        if arguments.paths:
            table("programs", arguments.paths, arguments)
        elif arguments.part != "right":
            table("racy", racy, arguments)
        if not arguments.paths and arguments.part != "racy":
            table("right", right, arguments)


if __name__ == "__main__":
    main()
