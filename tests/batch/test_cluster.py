"""The contract of grading elsewhere, without any engine: real gradings, real files, real kills."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_mpgrade.batch.cluster import bundle
from pytest_mpgrade.batch.cluster.dask import _check_address
from pytest_mpgrade.batch.cluster.store import Store
from pytest_mpgrade.errors import UsageError
from support.clusters import (
    PATIENCE,
    SLOW,
    UNREADABLE,
    attempts,
    below,
    course,
    gone,
    grades,
    reason,
    running,
    words,
)
from support.running import run_command, variables, wait_until
from support.small_class import RIGHT, gradebook

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="POSIX signals, /proc")
LIFELINE = [sys.executable, "-m", "pytest_mpgrade.batch.cluster.lifeline"]


def array(folder: Path, index: int) -> subprocess.CompletedProcess[str]:
    """Run one index of the job array as its node would."""
    script = folder / "out" / ".cluster" / "array.sh"
    return subprocess.run(
        ["bash", str(script)],
        env={**variables(), "SLURM_ARRAY_TASK_ID": str(index)},
        timeout=PATIENCE,
        check=False,
        capture_output=True,
        text=True,
    )


def batch(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Write the scripts for what is left, and take in what is there."""
    return run_command(words("--slurm-array", *options), folder)


def lose(folder: Path, key: str, *, alone: bool) -> None:
    """Log an attempt that never ended, as a lost node leaves it."""
    begun = {"host": "node7", "pid": 1, "begun": 1.0, "alone": alone}
    place = folder / "out" / ".cluster" / "results" / "attempts"
    (place / f"{key}.{len(os.listdir(place))}.json").write_text(json.dumps(begun))


def test_first_result_stays(tmp_path: Path) -> None:
    """Of two attempts that both come to their end, the first one counts, and no temporary file is
    left.
    """
    store = Store.make(tmp_path)
    assert store.commit("k", b"first") == b"first"
    assert store.commit("k", b"second") == b"first"
    assert sorted(os.listdir(tmp_path)) == ["attempts", "k.tar.gz"]


def test_array_grades_once_and_is_taken_in(tmp_path: Path) -> None:
    """An index that runs twice grades once; running the command again gives the grades, and changed
    files are open.
    """
    course(tmp_path, {"ada": RIGHT, "chloe": UNREADABLE})
    first = batch(tmp_path)
    assert "sbatch" in first.stdout, first.stderr
    for index in (0, 1, 0):
        done = array(tmp_path, index)
        assert done.returncode == 0, done.stderr
    assert attempts(tmp_path) == 2
    second = batch(tmp_path)
    assert gradebook(tmp_path) == {"ada": ("graded", "1"), "chloe": ("ungradable", "0")}
    assert "sbatch" not in second.stdout
    (tmp_path / "class" / "ada" / "double.py").write_text(RIGHT + "\n# improved\n")
    assert "sbatch" in batch(tmp_path).stdout
    assert "not graded yet" in reason(tmp_path, "ada")


def test_lost_submissions_are_tried_alone_then_left_to_a_person(tmp_path: Path) -> None:
    """Who was lost with a node gets one of its own, who is lost there twice is quarantined, and
    nobody else is.
    """
    course(tmp_path, {"ada": RIGHT, "ben": RIGHT})
    batch(tmp_path)
    place = tmp_path / "out" / ".cluster"
    keys = (place / "array" / "list").read_text().split()
    lose(tmp_path, keys[1], alone=False)
    batch(tmp_path)
    assert (place / "array" / "list").read_text().split() == keys[:1]
    assert (place / "alone" / "list").read_text().split() == keys[1:]
    assert "--exclusive" in (place / "alone.sh").read_text()
    for _ in range(2):
        lose(tmp_path, keys[1], alone=True)
    batch(tmp_path)
    assert "look at it by hand" in reason(tmp_path, "ben")
    assert not (place / "alone.sh").exists()
    assert array(tmp_path, 0).returncode == 0
    batch(tmp_path)
    assert gradebook(tmp_path) == {"ada": ("graded", "1"), "ben": ("error", "0")}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_no_process_outlives_a_job(tmp_path: Path, number: int) -> None:
    """A job that is killed is a lost attempt, one that is cancelled an ended one; neither leaves a
    process.
    """
    course(tmp_path, {"slow": SLOW.replace("20", "3600")})
    batch(tmp_path)
    script = str(tmp_path / "out" / ".cluster" / "array.sh")
    with running(["bash", script], tmp_path, "log", SLURM_ARRAY_TASK_ID="0") as job:
        assert wait_until(lambda: grades(job.pid), PATIENCE), (tmp_path / "log").read_text()
        tree = below(job.pid)
        job.send_signal(number)
        job.wait(PATIENCE)
        assert gone(tree)
    (attempt,) = (tmp_path / "out" / ".cluster" / "results" / "attempts").iterdir()
    assert ("ended" in json.loads(attempt.read_text())) == (number == signal.SIGTERM)


def test_two_gradings_have_different_cores(tmp_path: Path) -> None:
    """Each grading of a host is pinned to cores that no other one has; who finds none free
    waits.
    """
    cores = len(os.sched_getaffinity(0))
    command = [*LIFELINE, str(os.getpid()), str(tmp_path), str(cores + 1), "list"]
    with subprocess.Popen(
        command, env=variables(), stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert f"only {cores} are allowed" in process.stderr.read()
        assert process.wait(PATIENCE) == 2
    script = (
        "import os, sys; from pytest_mpgrade.batch.cluster.lifeline import own_cores\n"
        "with own_cores(1):\n    print(os.sched_getaffinity(0), flush=True); sys.stdin.read()\n"
    )

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", script],
            env=variables(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    holders = [start() for _ in range(cores)]
    try:
        held = [each.stdout.readline() for each in holders if each.stdout]
        assert len(set(held)) == cores
        holders.append(start())
        holders[0].kill()
        assert holders[-1].stdout is not None
        assert holders[-1].stdout.readline() == held[0]
    finally:
        for each in holders:
            each.kill()
            each.communicate()


def test_only_files_travel(tmp_path: Path) -> None:
    """Files, and links to others in the folder, arrive; pipes, links that lead out and hidden files
    stay.
    """
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.py").write_text("1")
    (tmp_path / "a" / "two.py").symlink_to("one.py")
    (tmp_path / "a" / "out.py").symlink_to("/etc/passwd")
    (tmp_path / "a" / ".hidden").write_text("")
    os.mkfifo(tmp_path / "a" / "pipe")
    data = bundle.pack({"s/a": tmp_path / "a"})
    assert data == bundle.pack({"s/a": tmp_path / "a"})
    bundle.unpack_bundle(data, tmp_path / "b")
    found = {each.name: each.read_text() for each in (tmp_path / "b" / "s" / "a").iterdir()}
    assert found == {"one.py": "1", "two.py": "1"}
    assert os.listdir(tmp_path / "b") == ["s"]


@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:8786", "[::1]:8786", "localhost:8786", "tls://head:8786"]
)
def test_addresses_that_are_safe(address: str) -> None:
    """A scheduler on this host, or one with TLS, may be used."""
    _check_address(address)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("tcp://10.0.0.1:8786", "without TLS"),
        ("head:8786", "without TLS"),
        ("head", "no scheduler's address"),
    ],
)
def test_addresses_that_are_refused(address: str, message: str) -> None:
    """A scheduler that others reach without TLS is refused, as is what is no address."""
    with pytest.raises(UsageError, match=re.escape(message)):
        _check_address(address)


@pytest.mark.parametrize(
    "options",
    [
        ["--executor", "dask"],
        ["--slurm-array", "--cluster", "slurm"],
        ["--executor", "local", "--slurm-array"],
    ],
)
def test_options_that_do_not_fit(tmp_path: Path, options: list[str]) -> None:
    """Options that ask for two places, or for none, are refused with one line before anything is
    graded.
    """
    course(tmp_path, {"ada": RIGHT})
    done = run_command(words(*options), tmp_path)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert not (tmp_path / "out").exists()
