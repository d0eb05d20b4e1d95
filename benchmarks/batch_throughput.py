"""What grading a class costs: submissions a minute of a batch beside a plain loop of pytest, and a batch's memory.

The class is a mix: right, wrong, hanging and hostile submissions of `mp_apply`, in turn. The plain loop is what one
would write without a batch: ``for d in */: pytest …``, one after the other. Both are run with and without the tests of
speed, which have the machine to themselves. Memory is the highest resident size (VmHWM) of the batch's own process,
for classes of submissions that cost nothing, since they cannot be graded, and differ in size only.
"""

from __future__ import annotations

import argparse
import contextlib
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

ROOT = Path(__file__).resolve().parent.parent
WRONG = ROOT / "assignments" / "mp_apply" / "wrong"
MIX = (
    ROOT / "reference" / "mp_apply" / "cv_funcs.py", WRONG / "never_joins.py", WRONG / "no_sentinel_join.py",
    WRONG / "serial.py", WRONG / "join_before_drain.py", WRONG / "hostile" / "forges_answers.py",
    WRONG / "drops_last.py", WRONG / "hostile" / "stubborn_workers.py",
)  # fmt: skip
"""Right, wrong, hanging, hostile."""
UNTIMED = "not test_speed"


def mixed(folder: Path, number: int) -> None:
    """Write a class of so many submissions."""
    for place, source in zip(range(number), itertools.cycle(MIX), strict=False):
        target = folder / f"{place:04}-{source.stem}"
        target.mkdir(parents=True)
        shutil.copyfile(source, target / "cv_funcs.py")


def in_a_batch(source: Path, jobs: int, keyword: str, isolation: str) -> float:
    """Grade a class in a batch; return the seconds."""
    options = Options(keyword=keyword, isolation=isolation)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="mpgrade-benchmark-") as out:
        count = sum(1 for _ in batch.grade_all(source, "mp_apply", out, jobs=jobs, options=options))
    assert count == len(list(source.iterdir()))
    return time.perf_counter() - start


def in_a_loop(source: Path, keyword: str, isolation: str) -> float:
    """Grade a class with pytest, one submission after the other; return the seconds."""
    start = time.perf_counter()
    for each in sorted(source.iterdir()):
        with tempfile.TemporaryDirectory(prefix="mpgrade-benchmark-") as out:
            command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--mpgrade-out={out}"]
            command += ["--mpgrade", "mp_apply", f"--mpgrade-submission={each}", f"--mpgrade-isolation={isolation}"]
            subprocess.run(
                [*command, *([f"-k={keyword}"] if keyword else [])], cwd=out, check=False, stdout=subprocess.DEVNULL
            )
    return time.perf_counter() - start


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


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", dest="number", type=int, default=24, help="submissions of the mix")
    parser.add_argument("-j", dest="jobs", type=int, nargs="+", default=[2, 4], help="gradings at a time")
    parser.add_argument("--cheap", type=int, nargs="*", default=[200, 2000], help="sizes of the classes for memory")
    parser.add_argument("--untimed-only", action="store_true", help="leave the tests of speed out")
    parser.add_argument("--isolation", default="auto")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="mpgrade-benchmark-") as folder:
        source = Path(folder)
        mixed(source, arguments.number)
        keywords = ((UNTIMED,) if arguments.untimed_only else (UNTIMED, "")) if arguments.number else ()
        for keyword, jobs in itertools.product(keywords, (*arguments.jobs, 0)):
            what = "without tests of speed" if keyword else "all tests"
            if jobs:
                how, seconds = f"batch -j {jobs}", in_a_batch(source, jobs, keyword, arguments.isolation)
            else:
                how, seconds = "plain loop", in_a_loop(source, keyword, arguments.isolation)
            rate = 60 * arguments.number / seconds
            print(f"{what}, {how}: {rate:.1f} submissions a minute ({seconds:.0f} s)", flush=True)
    for number in arguments.cheap:
        with tempfile.TemporaryDirectory(prefix="mpgrade-benchmark-") as folder:
            print(f"batch of {number} that cannot be graded: {peak_memory(number, Path(folder)):.1f} MB", flush=True)


if __name__ == "__main__":
    main()
