"""`mpgrade diff`: whose points changed between two gradings, and by which checks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_mpgrade import cli
from pytest_mpgrade.records import Outcome, Status
from support.kept_results import keep


def test_changes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only what changed is shown, with the checks that did it; who is in one of them only, too."""
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        keep(folder, "ada", Outcome.PASSED, Outcome.PASSED)
    keep(old, "ben", Outcome.PASSED, Outcome.FAILED)
    keep(new, "ben", Outcome.PASSED, Outcome.PASSED)
    keep(old, "chloe", Outcome.PASSED)
    keep(new, "dan", Outcome.PASSED)
    keep(old, "eva", Outcome.PASSED, status=Status.ERROR)
    keep(new, "eva", Outcome.PASSED)
    assert cli.main(["diff", str(old), str(new)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "ben: 1 of 2 -> 2 of 2",
        "    test_x.py::test_1: 0 of 1 points -> 1 of 1 points",
        "    test_x.py::test_1/values: failed -> passed",
        "chloe: not in the new ones",
        "dan: only in the new ones",
        "eva: not graded (error) -> 1 of 1",
    ]


def test_full_points_that_were_rounded_otherwise_are_no_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A full share of a criterion that is 0.33 once and 0.34 then is the same."""
    for folder, full, other in (("old", 0.33, Outcome.PASSED), ("new", 0.34, Outcome.FAILED)):
        keep(tmp_path / folder, "ada", Outcome.PASSED, other)
        (file,) = (tmp_path / folder).glob("*/result.json")
        result = json.loads(file.read_text("utf-8"))
        first = result["criteria"][0]["questions"][0]
        first |= {"points": full, "max_points": full}
        file.write_text(json.dumps(result), "utf-8")
    assert cli.main(["diff", str(tmp_path / "old"), str(tmp_path / "new")]) == 1
    changed = [line for line in capsys.readouterr().out.splitlines() if "points ->" in line]
    assert changed == ["    test_x.py::test_1: 1 of 1 points -> 0 of 1 points"]


def test_no_changes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same grading twice: nothing to show."""
    keep(tmp_path, "ada", Outcome.PASSED)
    assert cli.main(["diff", str(tmp_path), str(tmp_path / "ada")]) == 0
    assert capsys.readouterr().out == "no points changed in 1 submissions\n"


def test_no_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder without results is one line."""
    assert cli.main(["diff", str(tmp_path), str(tmp_path)]) == 2
    assert "there are no results in" in capsys.readouterr().err
