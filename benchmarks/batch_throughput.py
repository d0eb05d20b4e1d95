"""What grading a class costs: submissions a minute of a batch beside a plain loop of pytest, and a batch's memory.

The class is a mix: right, wrong, hanging and hostile submissions of `mp_apply`, in turn. The plain loop is what one
would write without a batch: ``for d in */: pytest …``, one after the other. Both are run with and without the tests of
speed, which have the machine to themselves, and each verdict of a batch is held against the loop's. Memory is the
highest resident size (VmHWM) of the batch's own process, for classes of submissions that cost nothing, since they
cannot be graded, and differ in size only.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import itertools
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pytest_mpgrade import batch
from pytest_mpgrade.pytest_run import Options
from pytest_mpgrade.report import result_json
from pytest_mpgrade.report.result_json import ResultFile

ROOT = Path(__file__).resolve().parent.parent
WRONG = ROOT / "assignments" / "mp_apply" / "wrong"
MIX = (
    ROOT / "reference" / "mp_apply" / "cv_funcs.py", WRONG / "never_joins.py", WRONG / "no_sentinel_join.py",
    WRONG / "serial.py", WRONG / "join_before_drain.py", WRONG / "hostile" / "forges_answers.py",
    WRONG / "drops_last.py", WRONG / "hostile" / "stubborn_workers.py",
)  # fmt: skip
"""Right, wrong, hanging, hostile."""
UNTIMED = "not test_speed"

Verdict = tuple[str, float, tuple[tuple[str, str], ...]]


def mixed(folder: Path, number: int) -> None:
    """Write a class of so many submissions."""
    for place, source in zip(range(number), itertools.cycle(MIX), strict=False):
        target = folder / f"{place:04}-{source.stem}"
        target.mkdir(parents=True)
        shutil.copyfile(source, target / "cv_funcs.py")


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
    """Return what must not depend on how a class is graded: status, points, how each check ended."""
    return result.status, result.score, tuple(sorted((check.id, check.outcome) for check in result.checks))


def in_a_batch(source: Path, jobs: int, keyword: str, isolation: str) -> Graded:
    """Grade a class in a batch."""
    options = Options(keyword=keyword, isolation=isolation)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="mpgrade-benchmark-") as out:
        results = batch.grade_all(source, "mp_apply", out, jobs=jobs, options=options)
        verdicts = {result.submission.id: verdict(result) for result in results}
    assert len(verdicts) == len(list(source.iterdir()))
    return Graded(seconds=time.perf_counter() - start, verdicts=verdicts)


def in_a_loop(source: Path, number: int, keyword: str, isolation: str) -> Graded:
    """Grade the first submissions of a class with pytest, one after the other."""
    verdicts: dict[str, Verdict] = {}
    start = time.perf_counter()
    for each in sorted(source.iterdir())[:number]:
        with tempfile.TemporaryDirectory(prefix="mpgrade-benchmark-") as out:
            command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--mpgrade-out={out}"]
            command += ["--mpgrade", "mp_apply", f"--mpgrade-submission={each}", f"--mpgrade-isolation={isolation}"]
            subprocess.run(
                [*command, *([f"-k={keyword}"] if keyword else [])], cwd=out, check=False, stdout=subprocess.DEVNULL
            )
            verdicts[each.name] = verdict(result_json.read(Path(out, "result.json")))
    return Graded(seconds=time.perf_counter() - start, verdicts=verdicts)


def differences(one_by_one: Graded, together: Graded) -> list[str]:
    """Return the submissions on which a batch has another verdict than the loop has on the same solution."""
    alone = {kind(name): found for name, found in one_by_one.verdicts.items()}
    return [
        f"{name}: {alone[kind(name)][:2]} by itself, {found[:2]} in the batch, "
        + ", ".join(f"{check} {how}" for check, how in sorted({*found[2]} - {*alone[kind(name)][2]}))
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
    command = [sys.executable, "-m", "pytest_mpgrade", "batch", str(folder / "class"), "--assignment", "mp_apply"]
    process = subprocess.Popen([*command, "--out", str(folder / "out")], stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        with contextlib.suppress(OSError):
            found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())
            peak = max(peak, int(found[1]) if found else 0)
        time.sleep(0.01)
    return peak / 1e3


def compare(source: Path, keyword: str, arguments: argparse.Namespace) -> None:
    """Grade a class in the plain loop and in batches; print the rates, and where verdicts differ."""
    what = "without tests of speed" if keyword else "all tests"
    alone = in_a_loop(source, arguments.loop or arguments.number, keyword, arguments.isolation)
    print(f"{what}, plain loop: {alone.rate:.1f} submissions a minute ({alone.seconds:.0f} s)", flush=True)
    for jobs in arguments.jobs:
        together = in_a_batch(source, jobs, keyword, arguments.isolation)
        differ = differences(alone, together)
        print(
            f"{what}, batch -j {jobs}: {together.rate:.1f} submissions a minute ({together.seconds:.0f} s), "
            f"{together.rate / alone.rate:.2f} times the loop's; "
            f"of {len(together.verdicts)} verdicts differ {len(differ)}",
            *differ, sep="\n    ", flush=True,
        )  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", dest="number", type=int, default=24, help="submissions of the mix")
    parser.add_argument("-j", dest="jobs", type=int, nargs="+", default=[2, 4], help="gradings at a time")
    parser.add_argument("--loop", type=int, help="so many of them in the plain loop (default: all)")
    parser.add_argument("--cheap", type=int, nargs="*", default=[200, 2000], help="sizes of the classes for memory")
    parser.add_argument("--untimed-only", action="store_true", help="leave the tests of speed out")
    parser.add_argument("--isolation", default="auto")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mpgrade-benchmark-") as folder:
        source = Path(folder)
        mixed(source, arguments.number)
        keywords = ((UNTIMED,) if arguments.untimed_only else (UNTIMED, "")) if arguments.number else ()
        for keyword in keywords:
            compare(source, keyword, arguments)
    for number in arguments.cheap:
        with tempfile.TemporaryDirectory(prefix="mpgrade-benchmark-") as folder:
            print(f"batch of {number} that cannot be graded: {peak_memory(number, Path(folder)):.1f} MB", flush=True)


if __name__ == "__main__":
    main()
