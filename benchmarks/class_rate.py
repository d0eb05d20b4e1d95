"""How many submissions a minute a batch grades, of a class as a course has it: half of them right,
a third with one fault, a sixth that hang.

    python benchmarks/class_rate.py [--number 24] [-j 2] [--against COMMAND]

The class is made from right designs and known wrong solutions of `mp_apply`. *COMMAND* is the
`mpgrade` of another version, which grades the same class in the same run, before and after.
"""

from __future__ import annotations

import argparse
import itertools
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from pytest_mpgrade.cli.verify_cases import wrong_solution
from pytest_mpgrade.course.assignment import find_assignment

ROOT = Path(__file__).resolve().parent.parent
RIGHT = ("queue_and_pipes", "executor", "pipe_per_worker", "lecture_module", "joinable_queue")
ONE_FAULT = ("serial", "drops_last", "leaks_queues", "swallows_exceptions")
HANG = ("hangs_on_raise", "no_sentinel_join")
OWN = str(Path(sys.executable).parent / "mpgrade")


def solutions() -> Iterator[tuple[str, bytes]]:
    """Yield names and texts, in the shares of the class, for ever."""
    asked = find_assignment("mp_apply")
    designs = itertools.cycle(ROOT / "tests/designs/mp_apply" / f"{name}.py" for name in RIGHT)
    faults, hangs = itertools.cycle(ONE_FAULT), itertools.cycle(HANG)
    while True:
        for kind in ("right", "fault", "right", "hang", "right", "fault"):
            if kind == "right":
                design = next(designs)
                yield design.stem, design.read_bytes()
            else:
                name = next(faults if kind == "fault" else hangs)
                yield name, wrong_solution(asked, name).content()


def write_class(folder: Path, number: int) -> None:
    """Write a class of so many submissions."""
    for place, (name, text) in zip(range(number), solutions(), strict=False):
        target = folder / f"{place:04}-{name}"
        target.mkdir(parents=True)
        (target / "cv_funcs.py").write_bytes(text)


def rate(mpgrade: str, source: Path, number: int, jobs: int) -> float:
    """Grade the class; return submissions a minute."""
    with tempfile.TemporaryDirectory(prefix="mpgrade-benchmark-") as out:
        command = [mpgrade, "batch", str(source), "--assignment", "mp_apply", "--out", out]
        start = time.perf_counter()
        done = subprocess.run(
            [*command, "-j", str(jobs)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        seconds = time.perf_counter() - start
        graded = len(list(Path(out).glob("*/result.json")))
    if graded != number:
        raise SystemExit(f"{mpgrade} graded {graded} of {number}, exit code {done.returncode}")
    return 60 * number / seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=24)
    parser.add_argument("-j", dest="jobs", type=int, default=2)
    parser.add_argument("--against", metavar="COMMAND")
    arguments = parser.parse_args()
    versions = [arguments.against, OWN, arguments.against] if arguments.against else [OWN]
    with tempfile.TemporaryDirectory(prefix="mpgrade-benchmark-") as folder:
        write_class(Path(folder), arguments.number)
        for version in versions:
            found = rate(version, Path(folder), arguments.number, arguments.jobs)
            name = "this version" if version == OWN else "the other version"
            print(f"{name}, -j {arguments.jobs}: {found:.1f} submissions a minute", flush=True)


if __name__ == "__main__":
    main()
