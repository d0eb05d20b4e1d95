"""Where the CPU time of a grading goes, by kind of process.

A grader that runs real processes cannot save what those of the submission need.

    python benchmarks/where_time_goes.py mp_apply

py-spy samples each Python process of the grading, those that hold their interpreter's lock, and
tells what share of the samples each kind of process has, and how much of that is importing modules.
It slows the grading down: shares mean something, not seconds. For the system's share, of which
py-spy sees nothing: `perf record -a -- pytest …`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from grading_time import QUICK, ROOT, pytest_of

KINDS = {
    "multiprocessing.spawn": "spawned workers",
    "multiprocessing.forkserver": "forkserver and its workers",
    "multiprocessing.resource_tracker": "resource trackers",
    "inside.child": "interpreters of calls and their forked workers",
    "supervisor": "supervisors",
    ':""': "pytest and plugin",  # py-spy does not name the process that it started
}
IMPORTING = "_find_and_load ("
RATE = 200
"""Samples a second."""


def kind_of(stack: str) -> str:
    """Return the kind of the innermost process of a line such as
    "process 12:"python …";process 15:"python …";main (file.py:3);…".
    """
    processes = [each for each in stack.split(";") if each.startswith("process ")]
    last = processes[-1] if processes else ""
    return next((name for part, name in KINDS.items() if part in last), "others")


def shares(lines: Iterable[str]) -> tuple[Counter[str], Counter[str]]:
    """Return the samples of each kind of process, and those of them that were importing."""
    all_of: Counter[str] = Counter()
    importing: Counter[str] = Counter()
    for line in lines:
        stack, _, number = line.strip().rpartition(" ")
        if number.isdigit():
            all_of[kind_of(stack)] += int(number)
            importing[kind_of(stack)] += int(number) * (IMPORTING in stack)
    return all_of, importing


def sampled(assignment: str, keyword: str) -> list[str]:
    """Grade the reference once under py-spy; return its raw lines."""
    program = shutil.which("py-spy")
    if program is None:
        raise SystemExit("py-spy is missing: python -m pip install py-spy")
    with tempfile.TemporaryDirectory(prefix="mpgrade-benchmark-") as folder:
        raw = Path(folder) / "raw"
        subprocess.run(
            [
                *(program, "record", "--subprocesses", "--gil", "--nonblocking", f"--rate={RATE}"),
                *("--format=raw", f"--output={raw}", "--"),
                *pytest_of(assignment, ROOT / "reference" / assignment, "-k", keyword),
            ],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        return raw.read_text().splitlines()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("assignment", nargs="?", default="mp_apply")
    parser.add_argument("--keyword", default=QUICK, help="pytest's -k")
    arguments = parser.parse_args()
    all_of, importing = shares(sampled(arguments.assignment, arguments.keyword))
    total = sum(all_of.values())
    print(f"{arguments.assignment}: {total} samples")
    for kind, number in all_of.most_common():
        print(f"  {kind:48} {number / total:5.0%}, importing {importing[kind] / total:5.0%}")


if __name__ == "__main__":
    main()
