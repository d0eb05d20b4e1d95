"""The class's grades as one table."""

from __future__ import annotations

import csv
import os
from pathlib import Path

from pytest_mpgrade.records import Outcome
from pytest_mpgrade.report.tables import class_gradebook
from support.two_criteria import CRITERIA, result


def test_rows_are_sorted_and_sum_up(tmp_path: Path) -> None:
    """Each submission has one row with its points by criterion, two decimals at most; those without
    a grade too.
    """
    path = tmp_path / "out" / "gradebook.csv"
    found = [
        result("eve"),
        result("bob", Outcome.PASSED, Outcome.FAILED),
        result("ada", Outcome.PASSED),
    ]
    class_gradebook.write_gradebook(
        [class_gradebook.row(each, CRITERIA) for each in found], CRITERIA, path
    )
    assert (
        path.read_bytes().decode() == "submission,status,score,max_score,results,shutdown\n"
        "ada,graded,3,3,1,2\n"
        "bob,graded,2,3,0.67,1.33\n"
        "eve,ungradable,0,3,0,0\n"
    )
    assert os.listdir(path.parent) == ["gradebook.csv"]


def test_names_survive(tmp_path: Path) -> None:
    """Names with quotes, commas, newlines, or a spreadsheet's formula in them come back as they
    were.
    """
    names = ["=1+1", "+a", "-b", "@c", 'd "e", f', "two\nlines", "Zoë 你"]
    path = tmp_path / "gradebook.csv"
    class_gradebook.write_gradebook(
        [class_gradebook.row(result(name, Outcome.PASSED), CRITERIA) for name in names],
        CRITERIA,
        path,
    )
    with path.open(newline="", encoding="utf-8") as file:
        assert sorted(row["submission"] for row in csv.DictReader(file)) == sorted(names)
    assert b"\r" not in path.read_bytes()


def test_empty_class_has_a_header() -> None:
    """Before the first result there is a table, without rows."""
    assert (
        class_gradebook.gradebook_csv([], CRITERIA)
        == "submission,status,score,max_score,results,shutdown\n"
    )
