"""Does anything grow while one server makes run after run, or one batch grades submission after
submission?

First 300 runs of a right module, one after the other in one server of supervisors; then one batch
of 200 copies of it. At ten moments of each it prints what the process that works there holds
(resident memory, open files, threads), and what lies on the machine with our names (temporary
folders, shared memory, cgroups). Ends with 1 where something grows: memory by more than a tenth
from the second moment to the last, anything else at all.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from pytest_mpgrade import batch, steps
from pytest_mpgrade.course import assignment
from pytest_mpgrade.grade.pytest_run import Options
from pytest_mpgrade.isolation import choose
from pytest_mpgrade.records import Scenario
from pytest_mpgrade.run.client import module_run, supervisor_pool
from pytest_mpgrade.run.client.request import Setting
from pytest_mpgrade.submission.discover import discover

TEXT = """
import multiprocessing as mp

def double(x):
    with mp.Pool(2) as pool:
        (result,) = pool.map(twice, [x])
        pool.close()
        pool.join()
    return result

def twice(x):
    return 2 * x
"""
TOML = """
name = "double"
title = "Double a number"
module = "double.py"
points = 1
functions = ["double(x)"]
start_methods = ["fork"]
test = "test_double.py"

[[criteria]]
name = "values"
points = 1
"""
TESTS = """
import pytest

@pytest.mark.criterion("values")
def test_double(student):
    assert student.call("double", 21).value == 42
"""
MOMENTS = 10


@dataclass(frozen=True, kw_only=True)
class Held:
    """What is held at one moment."""

    memory: int  # bytes
    files: int
    threads: int
    folders: int
    shared: int
    cgroups: int


def held(process: psutil.Process) -> Held:
    """Look at a process, and at what the machine has of ours."""
    groups = (names for _, names, _ in os.walk("/sys/fs/cgroup"))
    return Held(
        memory=process.memory_info().rss,
        files=process.num_fds(),
        threads=process.num_threads(),
        folders=len(list(Path(tempfile.gettempdir()).glob("mpgrade-*"))),
        shared=len(os.listdir("/dev/shm")),
        cgroups=sum(name.startswith("mpgrade-") for names in groups for name in names),
    )


def runs(place: Path, many: int) -> Iterator[Held]:
    """Make runs in one server; yield what it holds."""
    asked = assignment.find_assignment(str(place / "double"))
    submission = discover(place / "class" / "s000", asked)
    layer = choose.choose_isolation("auto", module=str(place / "class" / "s000" / "double.py"))
    setting = Setting(assignment=asked, submission=submission, isolation=layer)
    for number in range(many):
        run = module_run.run_module(
            Scenario(steps=(steps.call("double", number),), start_method="fork"), setting
        )[1]
        assert run.value == 2 * number, run
        if number % max(1, many // MOMENTS) == 0:
            (server,) = supervisor_pool._idle
            yield held(psutil.Process(server._process.pid))
    supervisor_pool.end_all()


def batches(place: Path, many: int) -> Iterator[Held]:
    """Grade a class; yield what the process of the batch holds."""
    options = Options(require_isolation=False)
    graded = batch.grade_all(place / "class", str(place / "double"), place / "out", options=options)
    for number, result in enumerate(graded):
        assert result.score == 1.0, result
        if number % max(1, many // MOMENTS) == 0:
            yield held(psutil.Process())


def grows(seen: Sequence[Held]) -> list[str]:
    """Return the names of what has grown; the first moment is a warm-up."""
    first, last = asdict(seen[1]), asdict(seen[-1])
    more = {name: last[name] - first[name] for name in first}
    return [
        name
        for name, growth in more.items()
        if growth > (first[name] // 10 if name == "memory" else 0)
    ]


def measured(
    title: str, moments: Callable[[Path, int], Iterator[Held]], place: Path, many: int
) -> list[str]:
    """Print what is held at each moment; return what grows."""
    print(f"{title}: {many}")
    seen = []
    for one in moments(place, many):
        seen.append(one)
        print(
            "  "
            + ", ".join(
                f"{name} {value / 1e6:.1f} MB" if name == "memory" else f"{name} {value}"
                for name, value in asdict(one).items()
            ),
            flush=True,
        )
    return grows(seen)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--gradings", type=int, default=200)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        place = Path(folder)
        os.chmod(place, 0o755)
        (place / "double").mkdir()
        (place / "double" / "assignment.toml").write_text(TOML)
        (place / "double" / "test_double.py").write_text(TESTS)
        for number in range(arguments.gradings):
            (place / "class" / f"s{number:03}").mkdir(parents=True)
            (place / "class" / f"s{number:03}" / "double.py").write_text(TEXT)
        growing = measured("runs in one server", runs, place, arguments.runs)
        # Threads of a batch come and go with its gradings.
        growing += measured("gradings in one batch", batches, place, arguments.gradings)
    print(f"grows: {', '.join(growing)}" if growing else "nothing grows")
    return bool(growing)


if __name__ == "__main__":
    assert threading.active_count() == 1
    sys.exit(main())
