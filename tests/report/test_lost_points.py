"""Why points were lost, for a person: of one submission, of one question, of a class."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from pytest_mpgrade import cli
from pytest_mpgrade.judge.points.shares import Placed
from pytest_mpgrade.records import RESULT_FILE, Concern, Criterion, Outcome, Submission
from pytest_mpgrade.report import result_json
from pytest_mpgrade.report.result_json import ResultFile
from support import results
from support.results import METHODS

CRITERIA = (
    Criterion(name="results", points=6, title="Right results"),
    Criterion(name="shutdown", points=4, title="Nothing is left"),
)
JOIN = "join() every Process that you start()"
COLLECT = "collect as many results as there are tasks"


def graded(name: str, *, joins: bool = True, collects: bool = True) -> ResultFile:
    """Return the result of a submission with these faults."""
    found: list[Placed] = []
    for method in METHODS:
        values = results.finding(
            Outcome.PASSED if collects else Outcome.FAILED,
            hint=COLLECT,
            message="f(3) returned 2 results for 3 tasks",
            call=f"f(3) under {method}",
        )
        left = results.finding(
            Outcome.PASSED if joins else Outcome.FAILED,
            check="no_leftovers",
            concern=Concern.CLEANUP,
            hint=JOIN,
            message="f returned without joining its 3 workers",
            call=f"f(3) under {method}",
            evidence={"workers": [{"pid": 7, "state": "zombie"}]},
        )
        found += results.placed(f"t.py::test_values[{method}]", values, criterion="results")
        found += results.placed(f"t.py::test_shutdown[{method}]", left, criterion="shutdown")
    return results.result(
        found, CRITERIA, assignment="f", submission=Submission(id=name, path=name, module="f.py")
    )


@pytest.fixture
def graded_class(tmp_path: Path) -> Path:
    """Return the results of a class of four."""
    for result in (
        graded("ada"),
        graded("ben", joins=False),
        graded("chloe", joins=False, collects=False),
        graded("dan", joins=False),
    ):
        folder = tmp_path / result.submission.id
        folder.mkdir()
        result_json.write_result(result, folder / RESULT_FILE)
    return tmp_path


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Return what a command prints at 80 columns."""
    assert cli.main(words) == 0
    return capsys.readouterr().out


CHLOE = """\
f: chloe: 0 of 10 points

Fix this first
  1. collect as many results as there are tasks
     f(3) returned 2 results for 3 tasks
     results, 6 points: test_values under fork, spawn and forkserver
  2. join() every Process that you start()
     f returned without joining its 3 workers
     cleanup, 4 points: test_shutdown under fork, spawn and forkserver

Not earned: results 6 of 6, shutdown 4 of 4
"""


def test_one_submission(
    graded_class: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file, its folder, or the folder of a class with a name: a few lines say it all."""
    monkeypatch.setenv("COLUMNS", "80")
    for words in (
        (str(graded_class / "chloe" / RESULT_FILE),),
        (str(graded_class / "chloe"),),
        (str(graded_class), "--student", "chloe"),
    ):
        assert shown(capsys, "show", *words) == CHLOE
    assert shown(capsys, "show", str(graded_class / "ada")) == "f: ada: 10 of 10 points\n"


def test_one_question(
    graded_class: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question shows its units and its evidence, and nothing of the others."""
    monkeypatch.setenv("COLUMNS", "80")
    text = shown(capsys, "show", str(graded_class / "chloe"), "--question", "test_shutdown")
    assert "t (fork): failed, 0 of 1.34 points" in text
    assert "pid 7  zombie" in text
    assert JOIN in text
    assert COLLECT not in text


CLASS = """\
1. 3 of 4  cleanup: join() every Process that you start()
      f returned without joining its 3 workers
      4 points on average: ben, chloe, dan
2. 1 of 4  results: collect as many results as there are tasks
      f(3) returned 2 results for 3 tasks
      6 points on average: chloe
"""


def test_causes_of_a_class(
    graded_class: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What most have in common comes first, with their names."""
    monkeypatch.setenv("COLUMNS", "80")
    assert shown(capsys, "causes", str(graded_class)) == CLASS
    assert shown(capsys, "causes", str(graded_class / "ada")) == "no failures in 1 submission\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["show", "."], "which result? Name one with --student (there are: ada, ben, "),
        (["show", ".", "--student", "chole"], "did you mean 'chloe'?"),
        (["show", ".", "--student", "x"], "there is no result of 'x' (there are: ada, ben, "),
        (["show", "ada", "--question", "x"], "has no question 'x' (there are: test_"),
        (["show", "ada", "--question", "test_valuse"], "did you mean 'test_values'?"),
        (["show", "nobody"], "there are no results in nobody"),
        (["causes", "nobody"], "there are no results in nobody"),
    ],
)
def test_mistakes_are_one_line(
    graded_class: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    said: str,
) -> None:
    """Wrong usage is told as elsewhere."""
    monkeypatch.chdir(graded_class)
    assert cli.main(words) == 2
    out = capsys.readouterr()
    assert out.out == ""
    assert out.err.count("\n") == 1
    assert said in out.err


def test_points_that_a_person_has_set_are_shown(
    graded_class: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The score is the one that counts."""
    result = dataclasses.replace(graded("eve"), score=3.0)
    (graded_class / "eve").mkdir()
    result_json.write_result(result, graded_class / "eve" / RESULT_FILE)
    assert shown(capsys, "show", str(graded_class / "eve")).startswith("f: eve: 3 of 10 points\n")


def test_what_could_not_be_graded_says_why(
    graded_class: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of an ungradable submission the reason is said, and no criterion is called not earned."""
    result = results.ungraded(CRITERIA, reason="there is no file cv_funcs.py", assignment="f")
    (graded_class / "fred").mkdir()
    result_json.write_result(result, graded_class / "fred" / RESULT_FILE)
    text = shown(capsys, "show", str(graded_class / "fred"))
    assert "there is no file cv_funcs.py" in text
    assert "Not earned" not in text
