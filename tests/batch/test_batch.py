"""Batches in real processes: several at a time, interrupted, killed, and gone on with."""

from __future__ import annotations

import contextlib
import csv
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import psutil
import pytest

from pytest_mpgrade import cli
from pytest_mpgrade.system import log_lock
from support.ours import Ours
from support.running import run_command, variables, wait_until
from support.small_class import (
    RIGHT,
    SOLUTIONS,
    TESTS,
    batch,
    below,
    command,
    course,
    gradebook,
    hand_in,
    results,
    set_up,
    words,
)

__all__ = ["course"]  # a fixture

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="POSIX signals")


GRADES = {
    "ada": ("graded", "1"),
    "ben": ("graded", "0"),
    "chloe": ("ungradable", "0"),
    "dan": ("graded", "0"),
    "Zoë O'Hara, jr.": ("graded", "1"),
}


@pytest.mark.parametrize("jobs", ["1", "4"])
def test_same_grades_however_many_at_a_time(course: Path, jobs: str) -> None:
    """Every submission has its grade, also beside one that hangs and one that cannot be read."""
    done = batch(course, "-j", jobs)
    assert done.returncode == 3, done.stderr
    assert gradebook(course) == GRADES
    assert f"[{len(GRADES)}/{len(GRADES)}]" in done.stdout
    assert "\nthe same files: 2 (Zoë O'Hara, jr.; ada)\n" in done.stdout
    assert mapped(course) == {name: status for name, (status, _) in GRADES.items()}


def test_who_got_no_grade_is_mapped(tmp_path: Path) -> None:
    """A broken archive is told before and after the gradings, and mapped as ungradable."""
    set_up(tmp_path, ["ada", "chloe"])
    (tmp_path / "class" / "eve.zip").write_bytes(b"PK and nothing")
    for options in ((), ("--resume",)):
        done = batch(tmp_path, *options)
        told = "left out: eve.zip: an archive that cannot be unpacked: File is not a zip file"
        assert told in done.stderr
        assert "\nan archive that cannot be unpacked: 1 (eve.zip)\n" in done.stdout
        assert mapped(tmp_path) == {"ada": "graded", "chloe": "ungradable", "eve": "ungradable"}


def mapped(course: Path) -> dict[str, str]:
    """Return what mapping.csv says of each submission."""
    with (course / "out" / "mapping.csv").open(encoding="utf-8", newline="") as file:
        return {row["submission"]: row["what"] for row in csv.DictReader(file)}


def test_resume_grades_what_is_new(course: Path) -> None:
    """What has not changed is taken from the earlier batch; a changed or a new submission is
    graded.
    """
    batch(course, "-j", "4")
    before = results(course)
    hand_in(course, "ben", RIGHT)
    hand_in(course, "eva", RIGHT)
    done = batch(course, "-j", "4", "--resume")
    after = results(course)
    assert gradebook(course) == {**GRADES, "ben": ("graded", "1"), "eva": ("graded", "1")}
    for name in ("ada", "dan", "Zoë O'Hara, jr."):
        assert after[name] == before[name]
    assert "3 were graded before" in done.stdout


@pytest.fixture(scope="module")
def graded_once(ours: Ours, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a class of two that has been graded; tests change copies of it."""
    folder = set_up(tmp_path_factory.mktemp("graded"), ["ada", "ben"])
    batch(folder)
    return folder


@pytest.mark.parametrize("what", ["nothing", "test", "limit", "partial", "schema", "round"])
def test_resume_grades_again(graded_once: Path, tmp_path: Path, what: str) -> None:
    """Another test, limit or rounding, a grading that was broken off, an older result file: nothing
    is taken over.
    """
    course = shutil.copytree(graded_once, tmp_path / "course")
    options = ["--limit", "seconds=1"] if what == "limit" else []
    if what == "test":
        (course / "double" / "test_double.py").write_text(TESTS.replace("42", "21"))
    if what == "partial":
        for path in (course / "out").glob("*/result.json"):
            path.write_text(
                path.read_text("utf-8").replace('"status": "graded"', '"status": "error"'), "utf-8"
            )
    if what == "schema":
        for path in (course / "out").glob("*/result.json"):
            path.write_text(
                path.read_text("utf-8").replace('"mpgrade.result/2"', '"mpgrade.result/1"'), "utf-8"
            )
    if what == "round":
        toml = course / "double" / "assignment.toml"
        toml.write_text(toml.read_text().replace("points = 1\n", "points = 1\nround = 0.5\n", 1))
    said = batch(course, "--resume", *options).stdout
    assert ("were graded before" in said) is (what == "nothing")
    grades = gradebook(course)
    assert (grades["ada"], grades["ben"])[what == "test"] == ("graded", "1")


def test_resume_with_other_decisions(graded_once: Path, tmp_path: Path) -> None:
    """Another roster, late rule or points by hand grade nothing again, and change the gradebook,
    the mapping and the results.
    """
    course = shutil.copytree(graded_once, tmp_path / "course")
    toml = course / "double" / "assignment.toml"
    toml.write_text(toml.read_text() + '\n[late]\ndue = 2026-03-02T12:00:00Z\npenalty = "0.5"\n')
    began = {name: each["started"] for name, each in results(course).items()}
    roster, by_hand = course / "roster.csv", course / "out" / "overrides.csv"

    def decided(listed: str, given: str) -> tuple[list[str], list[str]]:
        roster.write_text(f"name,submitted,extension_days\n{listed}")
        by_hand.write_text(f"submission,criterion,points,reason,who\n{given}")
        done = batch(course, "--resume", "--roster", "roster.csv")
        assert done.returncode == 0, done.stderr
        assert "2 were graded before" in done.stdout
        assert {name: each["started"] for name, each in results(course).items()} == began
        with (course / "out" / "gradebook.csv").open(encoding="utf-8", newline="") as file:
            scores = [f"{row['score']} {row['score_after_late']}" for row in csv.DictReader(file)]
        with (course / "out" / "mapping.csv").open(encoding="utf-8", newline="") as file:
            return scores, [f"{row['source']}: {row['what']}" for row in csv.DictReader(file)]

    graded = ["ada: graded", "ben: graded"]
    late = "ada,2026-03-03T12:00:00Z,\nben,2026-03-01,\neve,,\n"
    scores, mapped = decided(late, "ben,values,1,looked at it,K.\n")
    assert (scores, mapped) == (["1 0.5", "1 1"], [*graded, "eve: handed in nothing"])
    scores, mapped = decided("ada,2026-03-03T12:00:00Z,2\nben,,\n", "")
    assert (scores, mapped) == (["1 1", "0 0"], graded)


def test_from_download_to_gradebook(course: Path) -> None:
    """Canvas' zip goes in, Canvas' gradebook comes out, and what became of everything is told."""
    with zipfile.ZipFile(course / "hw.zip", "w") as whole:
        for name in (
            "doejane_101_1_double.py",
            "doejane_101_2_double-1.py",
            "smithal_LATE_102_3_double.py",
        ):
            whole.writestr(name, RIGHT if "-1" in name else SOLUTIONS["ben"])
        whole.writestr("oneillpat_103_text.html", "<p>see my mail</p>")
    sheet = "Student,ID,SIS Login ID,Section,Double a number (7)\r\n    Points Possible,,,,1\r\n"
    rows = '"Doe, Jane",101,jd,1,\r\n"Smith, Al",102,as,1,\r\n"O\'Neill, Pat",103,op,1,\r\n'
    (course / "canvas.csv").write_bytes((sheet + rows).encode())
    command = [
        each if each != "class" else "hw.zip"
        for each in words("--gradebook", "canvas", "canvas.csv")
    ]
    done = run_command(command, course)
    assert done.returncode == 3, done.stderr  # one has handed in nothing that can be graded
    assert "3 submissions, layout: canvas" in done.stdout
    assert "left out: oneillpat_103_text.html: an online text, which is not graded" in done.stderr
    # once more where a batch ends, for nobody scrolls up past 300 lines
    assert "\nan online text, which is not graded: 1 (oneillpat_103_text.html)\n" in done.stdout
    assert (course / "out" / "canvas.csv").read_bytes().decode() == (sheet + rows).replace(
        "jd,1,", "jd,1,1"
    ).replace("as,1,", "as,1,0")
    assert gradebook(course)["oneillpat_103"] == ("ungradable", "0")


GRADES_OF_THREE = {"aaron": ("graded", "1"), "ada": ("graded", "1"), "chloe": ("ungradable", "0")}
"""The grades of `three`, once aaron has handed in what is right."""


@pytest.fixture
def three(tmp_path: Path) -> Path:
    """Return a folder with a class of three, of whom the first one's program hangs."""
    set_up(tmp_path, ["ada", "chloe"])
    hand_in(tmp_path, "aaron", SOLUTIONS["dan"])
    return tmp_path


def started(course: Path, *options: str) -> subprocess.Popen[str]:
    """Start a batch, and wait until the submission that hangs is in its hands."""
    process = subprocess.Popen(
        words("-j", "3", "--limit", "seconds=60", "--limit", "patience=60", *options),
        cwd=course,
        env=variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert wait_until(lambda: any("inside.child" in " ".join(line) for line in below(process.pid)))
    return process


@pytest.mark.parametrize("times", [1, 2])
def test_interrupt_leaves_nothing_running(three: Path, times: int) -> None:
    """Ctrl-C ends the gradings that run, a second one at once; what is done is kept, and is gone on
    with.
    """
    process = started(three)
    tree = psutil.Process(process.pid).children(recursive=True)
    for _ in range(times):
        process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert wait_until(lambda: not any(each.is_running() for each in tree))
    assert "Traceback" not in said
    hand_in(three, "aaron", RIGHT)
    batch(three, "-j", "4", "--resume")
    assert gradebook(three) == GRADES_OF_THREE


def test_killed_batch_is_gone_on_with(three: Path) -> None:
    """SIGKILL loses the submissions in flight at most, leaves no process, and the gradebook ends
    the same.
    """
    process = started(three)
    tree = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    assert wait_until(lambda: not any(each.is_running() for each in tree))
    hand_in(three, "aaron", RIGHT)
    batch(three, "-j", "4", "--resume")
    assert gradebook(three) == GRADES_OF_THREE


def test_started_again_waits_for_what_was_killed(three: Path) -> None:
    """A batch that is started while processes of a killed one are still there waits for them, and
    then grades all.
    """
    process = started(three)
    held: list[psutil.Process] = []

    def hold() -> bool:
        held.extend(suspended(supervisors(process.pid, "aaron")))
        return bool(held)

    assert wait_until(hold)
    (grader,) = graders(process.pid, "aaron")
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    assert wait_until(lambda: not grader.is_running())
    hand_in(three, "aaron", RIGHT)
    with subprocess.Popen(
        words("-j", "4", "--resume"),
        cwd=three,
        env=variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as again:
        assert again.stderr is not None
        assert any(
            again.stderr.readline() == "waiting for an earlier grading to end: out/aaron\n"
            for _ in range(4)
        )
        assert again.poll() is None
        for each in held:
            # one that goes on already may have ended it
            with contextlib.suppress(psutil.NoSuchProcess):
                each.resume()
        said, complaints = again.communicate(timeout=120)
    assert again.returncode == 3, said + complaints
    # They give the log's lock back before they have ended.
    assert wait_until(lambda: not any(each.is_running() for each in held))
    assert gradebook(three) == GRADES_OF_THREE


def graders(pid: int, name: str) -> list[psutil.Process]:
    """Return the processes of a batch that grade one submission."""
    children = psutil.Process(pid).children()
    return [each for each in children if f"--mpgrade-id={name}" in command(each)]


def supervisors(pid: int, name: str) -> list[psutil.Process]:
    """Return who ends the students' processes of one grading, once there are some: they have its
    log open too.
    """
    found = graders(pid, name)
    tree = found[0].children(recursive=True) if found else []
    students = [each for each in tree if "pytest_mpgrade.inside.child" in command(each)]
    holding = [
        each for each in tree if any(file.path.startswith(found[0].cwd()) for file in files(each))
    ]
    assert not {*students} & {*holding}
    return holding if students else []


def suspended(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Stop these processes; return those that had not ended."""
    stopped = []
    for each in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.suspend()
            stopped.append(each)
    return stopped


def files(process: psutil.Process) -> list[Any]:
    """Return the files that a process has open; [] of one that is ending."""
    try:
        return process.open_files()
    except psutil.Error:
        return []


DIES = """
import os, signal
from pytest_mpgrade.run.client import supervisor_pool

def die(self):
    self.tell_to_end()
    self._process.wait()
    os.kill(os.getpid(), signal.SIGKILL)

supervisor_pool.RunServer.MOMENT = die
"""


@pytest.mark.parametrize("moment", ["hear_out", "end"])
def test_kill_while_a_run_is_being_ended(course: Path, ours: Ours, moment: str) -> None:
    """A second Ctrl-C may kill a grading whose run has just been told to end: its folders are
    removed all the same.
    """
    (course / "dies.py").write_text(DIES.replace("MOMENT", moment))
    (course / "one").mkdir()
    (course / "one" / "double.py").write_text(SOLUTIONS["dan"])
    options = [
        f"--mpgrade={course / 'double'}",
        f"--mpgrade-submission={course / 'one' / 'double.py'}",
    ]
    options += [
        "--mpgrade-out=out",
        "--mpgrade-limit=seconds=60",
        "--mpgrade-limit=patience=60",
        "-p",
        "dies",
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options],
        cwd=course,
        env=variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert wait_until(lambda: any("inside.child" in " ".join(line) for line in below(process.pid)))
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL, said
    assert wait_until(lambda: not ours.left(), 20.0), ours.left()


def test_two_batches_into_one_folder(
    three: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where another batch is at work for long, a second one says so, and touches nothing of it."""
    monkeypatch.setattr(log_lock, "SECONDS", 0.2)
    process = started(three)
    assert wait_until(lambda: graders(process.pid, "aaron"))
    monkeypatch.chdir(three)
    assert cli.main(words()[3:]) == 2
    assert "another grading writes into" in capsys.readouterr().err
    assert graders(process.pid, "aaron")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
