"""Batches from a script: a plain generator of results."""

from __future__ import annotations

import dataclasses
import doctest
import os
import pickle
import shutil
import threading
from datetime import datetime, timezone
from pathlib import Path

import psutil
import pytest

from pytest_mpgrade import batch
from pytest_mpgrade.batch import overrides
from pytest_mpgrade.batch.adjustments import Settled
from pytest_mpgrade.batch.job import Job
from pytest_mpgrade.batch.run import Told
from pytest_mpgrade.course import assignment
from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.grade.grading import Grading, failed_grading
from pytest_mpgrade.grade.pytest_run import Options
from pytest_mpgrade.isolation import choose
from pytest_mpgrade.records import Status
from pytest_mpgrade.report import result_json
from support.running import wait_until
from support.small_class import RIGHT, SOLUTIONS, course, gradebook, hand_in

__all__ = ["course"]


@pytest.fixture
def script(course: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with an assignment and one submission, in which a script runs."""
    shutil.rmtree(course / "class")
    hand_in(course, "ben", SOLUTIONS["ben"])
    monkeypatch.chdir(course)
    return course


def test_example(script: Path) -> None:
    """The example in the documentation does what it says."""
    if (
        choose.choose_isolation("auto", module=str(script / "class" / "ben" / "double.py")).level
        == "none"
    ):
        pytest.skip("this machine lacks the capability: isolation, which the example requires")
    (test,) = doctest.DocTestFinder(recurse=False).find(batch.grade_all, "grade_all")
    assert doctest.DocTestRunner().run(test) == (0, 2)
    assert gradebook(script) == {"ben": ("graded", "0")}


def test_choices_are_those_of_the_command(script: Path) -> None:
    """Overrides, a due time and resuming are there for scripts too."""
    Path("o.csv").write_text("submission,criterion,points,reason,who\nben,values,1,r,w\n")
    Path("r.csv").write_text("name,submitted\nben,2026-03-03\n")
    due = datetime(2026, 3, 2, tzinfo=timezone.utc)
    for resume in (False, True):
        (result,) = batch.grade_all(
            "class",
            "./double",
            "out",
            resume=resume,
            options=Options(isolation="none"),
            overrides=Path("o.csv"),
            roster=Path("r.csv"),
            due=due,
        )
        assert (result.score, result.by_machine().score) == (1.0, 0.0)
        assert result.late is not None
        assert result.late.seconds == 86400


def test_some_tests_are_no_result_for_all(script: Path) -> None:
    """What was graded by some of the tests is graded again when all are asked for."""
    for keyword in ("double", "double", ""):
        (result,) = batch.grade_all(
            "class",
            "./double",
            "out",
            resume=True,
            options=Options(isolation="none", keyword=keyword),
        )
        assert result.environment["assignment_sha256"].endswith(" -k double") == bool(keyword)


def test_mistakes_are_raised_at_once(script: Path) -> None:
    """What is wrong is raised by the call, and not when the first result is asked for."""
    with pytest.raises(UsageError, match="there is no folder or archive"):
        batch.grade_all("nothing", "./double", "out")


def test_who_stops_asking_ends_what_runs(script: Path) -> None:
    """A generator that is closed ends the gradings that it has begun."""
    hand_in(script, "ada", RIGHT)
    hand_in(script, "dan", SOLUTIONS["dan"])
    limits = ("seconds=60", "patience=60")
    before = psutil.Process(os.getpid()).children(recursive=True)
    results = batch.grade_all(
        "class", "./double", "out", jobs=3, options=Options(isolation="none", limits=limits)
    )
    assert next(results).submission.id in ("ada", "ben")
    begun = set(psutil.Process(os.getpid()).children(recursive=True)) - set(before)
    results.close()
    assert wait_until(lambda: not any(each.is_running() for each in begun))
    assert "dan" not in gradebook(script)


def test_points_by_hand_do_not_end_the_trying(script: Path) -> None:
    """What the grader broke on is graded again, also where a person has given points meanwhile."""
    Path("o.csv").write_text("submission,criterion,points,reason,who\nben,values,0.5,r,w\n")
    options = Options(isolation="none")
    (first,) = batch.grade_all("class", "./double", "out", options=options)
    broken = dataclasses.replace(first, status=Status.ERROR, reason="the machine broke", checks=())
    result_json.write_result(broken, script / "out" / "ben" / "result.json")
    settled = Settled(
        criteria=assignment.find_assignment("./double").criteria,
        overrides=overrides.read_overrides(
            Path("o.csv"), ["ben"], assignment.find_assignment("./double").criteria
        ),
    )
    given = settled(Grading(result=broken, folder=script / "out" / "ben"))
    assert (given.result.status, given.result.final) == (Status.GRADED, 0.5)
    (again,) = batch.grade_all(
        "class", "./double", "out", options=options, resume=True, overrides=Path("o.csv")
    )
    assert (again.score, again.by_machine().status) == (0.5, Status.GRADED)
    assert len(again.checks) == 1


def graded_elsewhere(job: Job) -> Grading:
    """Grade without looking at anything."""
    return failed_grading(
        job.path,
        assignment.find_assignment("mp_apply"),
        Path(job.folder),
        options=Options(),
        reason=job.id,
    )


def test_grading_can_be_sent(tmp_path: Path) -> None:
    """An executor may send what grades to another process; what shows the progress stays behind."""
    begun = threading.Lock()  # like a display, it cannot be pickled
    told = Told(graded_elsewhere, lambda _: begun.release())
    job = Job(id="ada", path=tmp_path, folder=str(tmp_path / "out"))
    assert pickle.loads(pickle.dumps(told))(job).result.reason == "ada"
    begun.acquire()
    assert told(job).result.reason == "ada"
    assert not begun.locked()
