"""What a full grading of the reference costs: wall time and CPU time of `mpgrade grade`, one after
the other.

Prints each grading and the median; the aim for `mp_apply` is at most 15 s on 2 cores.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time


def grade(assignment: str, observer: str) -> tuple[float, float]:
    """Grade the reference once; return wall and CPU seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as out:
        command = [
            sys.executable,
            "-m",
            "pytest_mpgrade",
            "grade",
            f"reference/{assignment}",
            "--assignment",
            assignment,
        ]
        subprocess.run(
            [*command, "--out", out, "--observer", observer], check=True, stdout=subprocess.DEVNULL
        )
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--observer", default="auto")
    arguments = parser.parse_args()
    for assignment in ("mp_apply", "bg_task"):
        taken = []
        for _ in range(arguments.repeat):
            taken.append(grade(assignment, arguments.observer))
            print(
                f"{assignment}: {taken[-1][0]:5.1f} s wall, {taken[-1][1]:5.1f} s CPU", flush=True
            )
        print(f"{assignment}: median {statistics.median(wall for wall, _ in taken):.1f} s wall")


if __name__ == "__main__":
    main()
