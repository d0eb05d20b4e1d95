"""What isolation costs: the time of one small run in each layer, and how much more that is than
with none.

Runs of all layers alternate, so that other work on the machine meets them alike. The aim: full
isolation costs at most 25 ms more than none, in the median.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from pytest_mpgrade import steps
from pytest_mpgrade.course.assignment import find_assignment
from pytest_mpgrade.isolation import choose
from pytest_mpgrade.isolation.layer import Isolation
from pytest_mpgrade.records import Scenario
from pytest_mpgrade.run.client import module_run, supervisor_pool
from pytest_mpgrade.run.client.request import Setting
from pytest_mpgrade.submission.discover import discover

MODULE = """
def calculate(func, args):
    return func(*args)


def worker(input, output):
    pass


def mp_apply(tasks, n_processes=2):
    return []
"""


def main() -> None:
    """Time the layers that this machine has, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=40, help="runs in each layer (default: 40)")
    runs = parser.parse_args().runs
    assignment = find_assignment("mp_apply")
    with tempfile.TemporaryDirectory(prefix="mpgrade-") as folder:
        Path(folder).chmod(0o755)
        module = Path(folder, "cv_funcs.py")
        module.write_text(MODULE)
        submission = discover(Path(folder), assignment)
        layers = {"none": Isolation()}
        for wanted in ("uid", "bwrap", "landlock"):
            found = choose.choose_isolation(wanted, module=str(module))
            layers.setdefault(f"{found.level}: {', '.join(found.parts)}", found)
        times: dict[str, list[float]] = {name: [] for name in layers}
        scenario = Scenario(steps=(steps.call("mp_apply", []),), start_method="fork")
        for number in range(runs + 2):
            for name, layer in layers.items():
                began = time.perf_counter()
                module_run.run_module(
                    scenario, Setting(assignment=assignment, submission=submission, isolation=layer)
                )
                if number >= 2:  # the first ones start the server
                    times[name].append(time.perf_counter() - began)
        supervisor_pool.end_all()
    base = statistics.median(times["none"])
    for name, found_times in times.items():
        median = statistics.median(found_times)
        print(
            f"{name:45} {median * 1e3:6.1f} ms median, {min(found_times) * 1e3:6.1f} min,"
            f" {(median - base) * 1e3:+6.1f}"
        )


if __name__ == "__main__":
    main()
