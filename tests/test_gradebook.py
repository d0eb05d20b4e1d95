"""The class's grades as one table."""

from __future__ import annotations

import csv
import os
from pathlib import Path

from pytest_mpgrade.judge.rubric import Placed, place
from pytest_mpgrade.records import Concern, Criterion, Finding, Outcome, Report, Status, Submission
from pytest_mpgrade.report import gradebook
from pytest_mpgrade.report.result_json import ResultFile, as_result

CRITERIA = (Criterion(name="results", points=1), Criterion(name="shutdown", points=2))


def result(id: str, *outcomes: Outcome) -> ResultFile:
    """Return a result whose criteria have three findings each, with these outcomes over and over."""
    placed = [
        Placed(
            id=f"t.py::{criterion.name}[{number}]/c",
            criterion=criterion.name,
            start_method="",
            finding=Finding(check="c", title="", concern=Concern.RESULTS, outcome=outcomes[number % len(outcomes)]),
        )
        for criterion in CRITERIA
        for number in range(3)
        if outcomes
    ]
    return as_result(
        Report(
            assignment="a",
            submission=Submission(id=id, path=id),
            status=Status.GRADED if outcomes else Status.UNGRADABLE,
            criteria=CRITERIA,
            entries=place(CRITERIA, placed),
        )
    )


def test_rows_are_sorted_and_sum_up(tmp_path: Path) -> None:
    """Each submission has one row with its points by criterion, those without a grade too."""
    path = tmp_path / "out" / "gradebook.csv"
    results = [result("eve"), result("bob", Outcome.PASSED, Outcome.FAILED), result("ada", Outcome.PASSED)]
    gradebook.write([gradebook.row(each, CRITERIA) for each in results], CRITERIA, path)
    assert path.read_bytes().decode() == (
        "submission,status,score,max_score,results,shutdown\n"
        "ada,graded,3.0,3.0,1.0,2.0\n"
        "bob,graded,2.0,3.0,0.666667,1.333333\n"
        "eve,ungradable,0.0,3.0,0.0,0.0\n"
    )
    assert os.listdir(path.parent) == ["gradebook.csv"]


def test_names_survive(tmp_path: Path) -> None:
    """Names with quotes, commas, newlines, or a spreadsheet's formula in them come back as they were."""
    names = ["=1+1", "+a", "-b", "@c", 'd "e", f', "two\nlines", "Zoë 你"]
    path = tmp_path / "gradebook.csv"
    gradebook.write([gradebook.row(result(name, Outcome.PASSED), CRITERIA) for name in names], CRITERIA, path)
    with path.open(newline="", encoding="utf-8") as file:
        assert sorted(row["submission"] for row in csv.DictReader(file)) == sorted(names)
    assert b"\r" not in path.read_bytes()


def test_empty_class_has_a_header() -> None:
    """Before the first result there is a table, without rows."""
    assert gradebook.dumps([], CRITERIA) == "submission,status,score,max_score,results,shutdown\n"
