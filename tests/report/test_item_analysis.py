"""Statistics of the checks over a class: shares, discrimination, and what a person should look
at.
"""

from __future__ import annotations

import csv
import dataclasses
import gc
import weakref
from pathlib import Path

import pytest

from pytest_mpgrade.batch import class_files
from pytest_mpgrade.grade.grading import Grading
from pytest_mpgrade.records import Outcome, Status
from pytest_mpgrade.report import result_json
from pytest_mpgrade.report.overview import Overview, overview
from pytest_mpgrade.report.result_json import ResultFile
from pytest_mpgrade.report.tables import item_analysis
from pytest_mpgrade.report.tables.item_analysis import Item
from support.kept_results import keep

PASSED, FAILED = Outcome.PASSED, Outcome.FAILED


@pytest.fixture
def results(tmp_path: Path) -> list[ResultFile]:
    """Return six gradings: one check is failed by the weak, one by the strong, one by all."""
    rows = [
        ("ada", PASSED, FAILED, FAILED, PASSED),
        ("ben", PASSED, FAILED, FAILED, PASSED),
        ("chloe", PASSED, FAILED, FAILED, PASSED),
        ("dan", FAILED, PASSED, FAILED, FAILED),
        ("eva", FAILED, PASSED, FAILED, FAILED),
        ("finn", FAILED, PASSED, Outcome.INCONCLUSIVE, FAILED),
    ]
    for name, *outcomes in rows:
        keep(tmp_path, name, *outcomes)
    keep(tmp_path, "gone", status=Status.UNGRADABLE)
    found = [result_json.read_result(path) for path in sorted(tmp_path.glob("*/result.json"))]
    return [dataclasses.replace(each, seconds=float(place)) for place, each in enumerate(found)]


def tally(results: list[ResultFile]) -> list[Item]:
    """Return what the results say of each check."""
    found = item_analysis.Tally()
    for each in results:
        found.add(each)
    return found.items()


def rows(results: list[ResultFile]) -> list[Overview]:
    """Return what is kept of the results."""
    return [overview(each) for each in results]


def test_shares_and_discrimination(results: list[ResultFile]) -> None:
    """Good checks correlate with all others, bad ones the other way; one that all fail cannot."""
    good, bad, never, also = tally(results)
    assert [each.passed for each in (good, bad, never, also)] == [3, 3, 0, 3]
    assert never.decided == 5
    assert never.discrimination is None
    assert bad.discrimination == pytest.approx(-1)
    # The others of five add up to 1 point; finn's third is undecided, so that his second is worth
    # 1.33 in place of 1.
    assert good.discrimination == pytest.approx(-0.447, abs=0.001)
    assert tally(results[:5])[0].discrimination is None


def test_what_a_person_should_look_at(results: list[ResultFile]) -> None:
    """Checks that nearly all fail, results that nothing could decide, what took longest."""
    lines = list(item_analysis.worth_a_look(rows(results), tally(results)))
    assert lines[0].startswith("5 of 5 fail test_x.py::test_2/values")
    assert lines[1] == "finn: 1 check undecided: test_x.py::test_2/values (inconclusive)"
    assert lines[2].startswith("slowest: ")


def test_small_classes_say_nothing(results: list[ResultFile]) -> None:
    """Of a few submissions nothing follows."""
    few = results[:3]
    assert list(item_analysis.worth_a_look(rows(few), tally(few))) == []


def test_class_keeps_no_result(tmp_path: Path) -> None:
    """What is kept of a class does not hold on to results, which can be large."""
    whole = class_files.Class()
    for name in ("ada", "ben"):
        keep(tmp_path, name, PASSED, FAILED)
        result = result_json.read_result(tmp_path / name / "result.json")
        gone = weakref.ref(result), weakref.ref(result.checks[0])
        whole.add(Grading(result=result, folder=tmp_path / name))
        del result
        gc.collect()
        assert [each() for each in gone] == [None, None]
    assert [row.id for row in whole.rows] == ["ada", "ben"]


def test_table(results: list[ResultFile], tmp_path: Path) -> None:
    """A row for each check."""
    item_analysis.write_item_analysis(tally(results), tmp_path / "items.csv")
    with (tmp_path / "items.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["check"] == "test_x.py::test_0/values"
    assert [row["share_passed"] for row in rows] == ["0.500", "0.500", "0.000", "0.500"]
    assert [row["undecided"] for row in rows] == ["0", "0", "1", "0"]


def test_check_that_nothing_decided(tmp_path: Path) -> None:
    """A check that is an error in every submission is in the table, and has no share."""
    keep(tmp_path, "ada", Outcome.ERROR, PASSED)
    item_analysis.write_item_analysis(
        tally([result_json.read_result(tmp_path / "ada" / "result.json")]), tmp_path / "items.csv"
    )
    with (tmp_path / "items.csv").open(encoding="utf-8", newline="") as file:
        row = next(csv.DictReader(file))
    assert (row["decided"], row["share_passed"], row["undecided"]) == ("0", "", "1")
