"""Batches on a real Slurm, started on this machine in a folder of its own: job arrays, and Dask
workers as jobs.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from support.clusters import PATIENCE, SLOW, below, course, gone, grades, many, words
from support.running import run_command, wait_until
from support.small_class import gradebook

TOOLS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel")
PATH = f"{os.environ['PATH']}:/usr/sbin"
pytestmark = pytest.mark.skipif(
    any(shutil.which(tool, path=PATH) is None for tool in TOOLS),
    reason="needs Slurm: apt-get install slurmctld slurmd slurm-client munge",
)
SCRIPTS = Path(__file__).parents[1] / "data" / "slurm"
JOBQUEUE = """
jobqueue:
  slurm:
    interface: lo
    queue: grade
    memory: 1GB
    walltime: "00:20:00"
    death-timeout: 60
"""


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Two nodes of two cores; its daemons have a temporary folder of their own."""
    place = tmp_path_factory.mktemp("slurm")
    own = {**os.environ, "TMPDIR": str(place)}
    try:
        done = subprocess.run(
            [SCRIPTS / "up", place],
            check=False,
            env=own,
            capture_output=True,
            text=True,
            timeout=120,
        )
        if done.returncode:
            pytest.skip(
                "this machine lacks the capability: a Slurm of its own"
                f" ({done.stderr.strip()[-300:]})"
            )
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("SLURM_CONF", str(place / "slurm.conf"))
            assert wait_until(lambda: told("sinfo", "-h", "-o", "%D %T").split() == ["2", "idle"])
            yield
    finally:
        subprocess.run([SCRIPTS / "down", place], check=False, env=own, timeout=120)


def told(*words: str) -> str:
    """Return what a command of Slurm says."""
    return subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout


def over(job: str) -> bool:
    """Wait until a job is no more in the queue."""
    return wait_until(lambda: not told("squeue", "-h", "-r", "-j", job).strip(), PATIENCE)


def submitted(folder: Path) -> str:
    """Submit the array; returns the job's number."""
    return told("sbatch", "--parsable", str(folder / "out" / ".cluster" / "array.sh")).strip()


def grades_of(right: int, unreadable: int) -> dict[str, tuple[str, str]]:
    """Return what the gradebook of a class has to say."""
    names = many(right, unreadable)
    return {
        name: ("graded", "1") if name.startswith("right") else ("ungradable", "0") for name in names
    }


@pytest.mark.usefixtures("slurm")
def test_array_grades_a_class(tmp_path: Path) -> None:
    """The script is accepted, every index grades its submissions, and the command takes in the
    results.
    """
    course(tmp_path, many(2, 4))
    assert run_command(words("--slurm-array"), tmp_path).returncode == 3
    assert over(submitted(tmp_path))
    done = run_command(words("--slurm-array"), tmp_path)
    assert gradebook(tmp_path) == grades_of(2, 4), done.stdout


@pytest.mark.usefixtures("slurm")
def test_cancelled_array_leaves_nothing(tmp_path: Path) -> None:
    """After scancel no process of a grading is left, and the submission waits for the next
    array.
    """
    course(tmp_path, {"slow": SLOW.replace("20", "3600")})
    run_command(words("--slurm-array"), tmp_path)
    job = submitted(tmp_path)
    assert wait_until(lambda: any(map(grades, tasks(tmp_path))), PATIENCE)
    tree = [each for pid in tasks(tmp_path) for each in below(pid)]
    told("scancel", job)
    assert over(job)
    assert gone(tree)
    assert "sbatch" in run_command(words("--slurm-array"), tmp_path).stdout


def tasks(folder: Path) -> list[int]:
    """Return the tasks of a test's array, which Slurm runs now."""
    found, place = [], str(folder / "out" / ".cluster" / "array")
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if place in process.cmdline():
                found.append(process.pid)
    return found


@pytest.mark.usefixtures("slurm")
def test_dask_workers_as_jobs_grade_a_class(tmp_path: Path) -> None:
    """Dask-jobqueue starts workers as jobs, over TLS; all 20 submissions have their results, and no
    job is left.
    """
    pytest.importorskip("dask_jobqueue", reason="needs the extra cluster")
    course(tmp_path, many(4, 16))
    (tmp_path / "dask").mkdir()
    (tmp_path / "dask" / "jobqueue.yaml").write_text(JOBQUEUE)
    command = ["env", f"DASK_CONFIG={tmp_path / 'dask'}", *words("--cluster", "slurm", "-j", "2")]
    done = run_command(command, tmp_path, seconds=400)
    assert gradebook(tmp_path) == grades_of(4, 16), done.stderr
    assert wait_until(lambda: not told("squeue", "-h").strip())
