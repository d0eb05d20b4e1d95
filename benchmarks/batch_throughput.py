"""What grading a class costs: submissions a minute of a batch beside a plain loop of pytest, and a
batch's memory.

The class is a mix: right, wrong, hanging and hostile submissions, in turn. The plain loop is what
one would write without a batch: ``for d in */: pytest …``, one after the other. `bg_task` has no
test of speed, `mp_apply` has one, which has the machine to itself. Each verdict of a batch is held
against the loop's. Memory is the highest resident size (VmHWM) of the batch's own process, for
classes of submissions that cost nothing, since they cannot be graded, and differ in size only.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import itertools
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pytest_mpgrade import batch
from pytest_mpgrade.cli.verify_cases import wrong_solution
from pytest_mpgrade.course import assignment as assignments
from pytest_mpgrade.grade.pytest_run import Options
from pytest_mpgrade.report import result_json
from pytest_mpgrade.report.result_json import ResultFile

ROOT = Path(__file__).resolve().parent.parent
_HOSTILE = ROOT / "assignments/mp_apply/wrong/hostile"
MIXES: dict[str, tuple[Path | str, ...]] = {
    "bg_task": (
        ROOT / "reference/bg_task/cv_funcs.py",
        "never_joins",
        "join_before_get",
        "runs_in_caller",
        "death_hangs",
        ROOT / "benchmarks/hostile/stubborn_child.py",
        "wrong_value",
        _HOSTILE / "exits_at_import.py",
    ),
    "mp_apply": (
        ROOT / "reference/mp_apply/cv_funcs.py",
        "never_joins",
        "no_sentinel_join",
        "serial",
        "join_before_drain",
        _HOSTILE / "forges_answers.py",
        "drops_last",
        _HOSTILE / "stubborn_workers.py",
    ),
}
"""Right, wrong, hanging, hostile: files, and names of wrong solutions of the assignment."""

Verdict = tuple[str, float, tuple[tuple[str, str], ...]]


def mixed(folder: Path, number: int, assignment: str) -> None:
    """Write a class of so many submissions."""
    asked = assignments.find_assignment(assignment)
    for place, source in zip(range(number), itertools.cycle(MIXES[assignment]), strict=False):
        if isinstance(source, str):
            name, text = source, wrong_solution(asked, source).content()
        else:
            name, text = source.stem, source.read_bytes()
        target = folder / f"{place:04}-{name}"
        target.mkdir(parents=True)
        (target / "cv_funcs.py").write_bytes(text)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Graded:
    """A class that was graded: in how many seconds, and the verdict on each submission."""

    seconds: float
    verdicts: dict[str, Verdict]

    @property
    def rate(self) -> float:
        """Submissions a minute."""
        return 60 * len(self.verdicts) / self.seconds


def verdict(result: ResultFile) -> Verdict:
    """Return what must not depend on how a class is graded: status, points, how each check
    ended.
    """
    return (
        result.status,
        result.score,
        tuple(sorted((check.id, check.outcome) for check in result.checks)),
    )


def in_a_batch(source: Path, assignment: str, jobs: int, isolation: str) -> Graded:
    """Grade a class in a batch."""
    options = Options(isolation=isolation)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="mpgrade-benchmark-") as out:
        results = batch.grade_all(source, assignment, out, jobs=jobs, options=options)
        verdicts = {result.submission.id: verdict(result) for result in results}
    assert len(verdicts) == len(list(source.iterdir()))
    return Graded(seconds=time.perf_counter() - start, verdicts=verdicts)


def in_a_loop(source: Path, assignment: str, number: int, isolation: str) -> Graded:
    """Grade the first submissions of a class with pytest, one after the other."""
    verdicts: dict[str, Verdict] = {}
    start = time.perf_counter()
    for each in sorted(source.iterdir())[:number]:
        with tempfile.TemporaryDirectory(prefix="mpgrade-benchmark-") as out:
            command = [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-p",
                "no:cacheprovider",
                f"--mpgrade-out={out}",
            ]
            command += [
                "--mpgrade",
                assignment,
                f"--mpgrade-submission={each}",
                f"--mpgrade-isolation={isolation}",
            ]
            subprocess.run(command, cwd=out, check=False, stdout=subprocess.DEVNULL)
            verdicts[each.name] = verdict(result_json.read_result(Path(out, "result.json")))
    return Graded(seconds=time.perf_counter() - start, verdicts=verdicts)


def differences(one_by_one: Graded, together: Graded) -> list[str]:
    """Return the submissions on which a batch has another verdict than the loop has on the same
    solution.
    """
    alone = {kind(name): found for name, found in one_by_one.verdicts.items()}
    return [
        f"{name}: {alone[kind(name)][:2]} by itself, {found[:2]} in the batch, "
        + ", ".join(
            f"{check} {how}" for check, how in sorted({*found[2]} - {*alone[kind(name)][2]})
        )
        for name, found in sorted(together.verdicts.items())
        if kind(name) in alone and found != alone[kind(name)]
    ]


def kind(name: str) -> str:
    """Return which solution of the mix a submission is."""
    return name.partition("-")[2]


def peak_memory(number: int, folder: Path) -> float:
    """Return the peak memory of a batch of so many submissions that cannot be graded, in MB."""
    for place in range(number):
        target = folder / "class" / f"{place:05}"
        target.mkdir(parents=True)
        (target / "cv_funcs.py").write_text(f"def mp_apply(tasks)  # {place}\n")
    command = [
        sys.executable,
        "-m",
        "pytest_mpgrade",
        "batch",
        str(folder / "class"),
        "--assignment",
        "mp_apply",
    ]
    process = subprocess.Popen([*command, "--out", str(folder / "out")], stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        with contextlib.suppress(OSError):
            found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())
            peak = max(peak, int(found[1]) if found else 0)
        time.sleep(0.01)
    return peak / 1e3


def compare(source: Path, assignment: str, arguments: argparse.Namespace) -> None:
    """Grade a class in the plain loop and in batches; print the rates, and where verdicts
    differ.
    """
    alone = in_a_loop(source, assignment, arguments.loop or arguments.number, arguments.isolation)
    print(
        f"{assignment}, plain loop: {alone.rate:.1f} submissions a minute ({alone.seconds:.0f} s)",
        flush=True,
    )
    for jobs in arguments.jobs:
        together = in_a_batch(source, assignment, jobs, arguments.isolation)
        differ = differences(alone, together)
        print(
            f"{assignment}, batch -j {jobs}: {together.rate:.1f} submissions a minute"
            f" ({together.seconds:.0f} s), {together.rate / alone.rate:.2f} times the loop's; of"
            f" {len(together.verdicts)} verdicts differ {len(differ)}",
            *differ,
            sep="\n    ",
            flush=True,
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", dest="number", type=int, default=24, help="submissions of the mix")
    parser.add_argument(
        "-j", dest="jobs", type=int, nargs="+", default=[2, 4], help="gradings at a time"
    )
    parser.add_argument("--loop", type=int, help="so many of them in the plain loop (default: all)")
    parser.add_argument(
        "--cheap", type=int, nargs="*", default=[200, 2000], help="sizes of the classes for memory"
    )
    parser.add_argument(
        "--assignments", nargs="*", default=list(MIXES), choices=list(MIXES), metavar="NAME"
    )
    parser.add_argument("--isolation", default="auto")
    arguments = parser.parse_args()
    for assignment in arguments.assignments:
        with tempfile.TemporaryDirectory(prefix="mpgrade-benchmark-") as folder:
            mixed(Path(folder), arguments.number, assignment)
            compare(Path(folder), assignment, arguments)
    for number in arguments.cheap:
        with tempfile.TemporaryDirectory(prefix="mpgrade-benchmark-") as folder:
            print(
                f"batch of {number} that cannot be graded:"
                f" {peak_memory(number, Path(folder)):.1f} MB",
                flush=True,
            )


if __name__ == "__main__":
    main()
