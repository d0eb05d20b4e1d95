"""A batch is killed by SIGKILL at random moments and gone on with: is its gradebook that of one
nobody disturbed?

In each round a batch is killed a few times and resumed in between. Printed: how long the processes
of a killed batch were still there, and whether the last gradebook is, byte for byte, the
undisturbed one. Tests of speed are left out: their points may depend on the machine's other work.
Exit code 1 where a gradebook differs, or a process is there after the allowed seconds.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from batch_throughput import mixed

UNTIMED = "not test_speed"
BATCH = """
import sys
from pytest_mpgrade import batch
from pytest_mpgrade.grade.pytest_run import Options
options = Options(keyword=sys.argv[3], isolation=sys.argv[4])
jobs = int(sys.argv[5])
more = {"jobs": jobs, "options": options, "resume": True}
for _ in batch.grade_all(sys.argv[1], "mp_apply", sys.argv[2], **more):
    pass
"""


def start(source: Path, out: Path, arguments: argparse.Namespace) -> subprocess.Popen[bytes]:
    """Start a batch, or go on with one."""
    words = [str(source), str(out), UNTIMED, arguments.isolation, str(arguments.jobs)]
    return subprocess.Popen([sys.executable, "-c", BATCH, *words])


def kill(process: subprocess.Popen[bytes], out: Path) -> float:
    """Kill a batch; return the seconds after which all its gradings and students' processes were
    gone.
    """
    try:
        tree = psutil.Process(process.pid).children(recursive=True)
    except psutil.Error:
        tree = []
    process.kill()
    process.wait()
    began = time.monotonic()
    while any(map(alive, tree)) or any(about(each, out) for each in psutil.process_iter()):
        if time.monotonic() > began + 60:
            break
        time.sleep(0.01)
    return time.monotonic() - began


def alive(process: psutil.Process) -> bool:
    """Tell whether a process of a batch that was killed is still there."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def about(process: psutil.Process, out: Path) -> bool:
    """Tell whether a process writes results below a folder, whoever started it."""
    try:
        return any(str(out) in part for part in process.cmdline()) and alive(process)
    except psutil.Error:
        return False


def main() -> int:
    """Kill, go on, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", dest="number", type=int, default=8, help="submissions")
    parser.add_argument("-j", dest="jobs", type=int, default=3, help="gradings at a time")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--kills", type=int, default=3, help="in each round")
    parser.add_argument(
        "--seconds", type=float, default=2.0, help="in which all processes have to be gone"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--isolation", default="auto")
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    slow = different = 0
    with tempfile.TemporaryDirectory(prefix="mpgrade-benchmark-") as folder:
        source = Path(folder, "class")
        mixed(source, arguments.number, "mp_apply")
        began = time.monotonic()
        start(source, Path(folder, "undisturbed"), arguments).wait()
        whole = time.monotonic() - began
        expected = Path(folder, "undisturbed", "gradebook.csv").read_bytes()
        for number in range(1, arguments.rounds + 1):
            out = Path(folder, f"round{number}")
            gone = []
            for _ in range(arguments.kills):
                process = start(source, out, arguments)
                time.sleep(chance.uniform(0, 0.8 * whole / arguments.kills))
                gone.append(kill(process, out))
            start(source, out, arguments).wait()
            same = (out / "gradebook.csv").read_bytes() == expected
            slow += max(gone) > arguments.seconds
            different += not same
            told = ", ".join(f"{seconds:.2f}" for seconds in gone)
            print(
                f"round {number}: gone after {told} s; gradebook"
                f" {'the same' if same else 'DIFFERS'}",
                flush=True,
            )
    print(
        f"{arguments.rounds} rounds: {different} gradebooks differ, {slow} with processes after"
        f" {arguments.seconds:g} s"
    )
    return 1 if different or slow else 0


if __name__ == "__main__":
    sys.exit(main())
