"""Points set by hand: how the file is read, what becomes of a result, and that a class's grades
follow.
"""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest

from pytest_mpgrade import cli
from pytest_mpgrade.batch import overrides
from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.records import Criterion, Finding, Outcome, Status
from pytest_mpgrade.report import adjustments, result_json, terminal
from pytest_mpgrade.report.adjustments import Override
from pytest_mpgrade.report.result_json import ResultFile
from pytest_mpgrade.report.tables import class_gradebook, item_analysis
from support.results import finding, placed
from support.results import result as graded
from support.small_class import batch, course, results
from support.two_criteria import CRITERIA, result

__all__ = ["course"]

HEADER = "submission,criterion,points,reason,who\n"


def given(criterion: str, points: float) -> Override:
    """Return what somebody decided about ada."""
    return Override(
        submission="ada", criterion=criterion, points=points, reason="looked at it", who="Prof. K."
    )


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("adda,results,1,r,w", "3: there is no submission 'adda' (did you mean 'ada'?)"),
        ("ada,points,1,r,w", "3: there is no criterion 'points' (there are: results, shutdown)"),
        ("ada,shutdown,2.5,r,w", "3: expected points from 0 to 2 for 'shutdown', got '2.5'"),
        ("ada,shutdown,-1,r,w", "3: expected points from 0 to 2 for 'shutdown', got '-1'"),
        ("ada,shutdown,nan,r,w", "3: expected points from 0 to 2 for 'shutdown', got 'nan'"),
        ("ada,shutdown,,r,w", "3: the column 'points' is empty"),
        ("ada,shutdown,1, ,w", "3: the column 'reason' is empty"),
        ("ada,shutdown,1", "3: the column 'reason' is empty"),
        ("ada,shutdown,1,r,", "3: the column 'who' is empty"),
        ("ben,results,1,r,w", "3: 'ben', 'results' is in line 2 already"),
        (
            'ada,results,1,"two\nlines",w\nada,results,1,r,w',
            "5: 'ada', 'results' is in line 3 already",
        ),
    ],
)
def test_mistakes_have_their_line(tmp_path: Path, row: str, why: str) -> None:
    """Each mistake is said with file and line."""
    file = tmp_path / "overrides.csv"
    file.write_text(f"{HEADER}ben,results,0.5,r,w\n{row}\n", "utf-8")
    with pytest.raises(UsageError) as caught:
        overrides.read_overrides(file, ["ada", "ben"], CRITERIA)
    assert str(caught.value) == f"{file}:{why}"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"submission,criterion,points\n", ":1: there is no column 'reason'"),
        (b"submission,criterion,points,raeson,who\n", "; did you mean 'raeson'?"),
        (b"submission,criterion,points,points,reason,who\n", ":1: there are 2 columns 'points'"),
        (b"\xff\xfe", ":1: not saved as UTF-8"),
        (HEADER.encode() + b"ada,results,1,sch\xf6n,w\n", ":2: not saved as UTF-8"),
        (HEADER.encode() + b'\nada,results,1,"never closed,w\n', ":3: no row of a CSV file"),
        (HEADER.encode() + b"ada,results,1,so, so,w\n", ":2: 6 cells below 5 columns"),
    ],
)
def test_files_that_are_none(tmp_path: Path, data: bytes, why: str) -> None:
    """A file of another kind is one line, and a quote that is not closed swallows nothing."""
    file = tmp_path / "overrides.csv"
    file.write_bytes(data)
    with pytest.raises(UsageError, match=why):
        overrides.read_overrides(file, ["ada"], CRITERIA)


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    """All that is wrong is told together, also twice in one row and in a column that is missing."""
    file = tmp_path / "overrides.csv"
    rows = "adda,resluts,two,,w\nben,shutdown,3,r,w\nada,results,1,r,w,x\n"
    file.write_text(HEADER + rows, "utf-8")
    with pytest.raises(UsageError) as caught:
        overrides.read_overrides(file, ["ada", "ben"], CRITERIA)
    assert caught.value.lines == (
        f"{file}:4: 6 cells below 5 columns: a text with ',' in it needs quotes",
        f"{file}:2: the column 'reason' is empty",
        f"{file}:2: there is no submission 'adda' (did you mean 'ada'?)",
        f"{file}:2: there is no criterion 'resluts' (did you mean 'results'?)",
        f"{file}:2: expected a number of points, got 'two'",
        f"{file}:3: expected points from 0 to 2 for 'shutdown', got '3'",
    )
    file.write_text("submission,points\n", "utf-8")
    with pytest.raises(UsageError) as caught:
        overrides.read_overrides(file, ["ada"], CRITERIA)
    assert [line.split("(")[0] for line in caught.value.lines] == [
        f"{file}:1: there is no column {name!r} " for name in ("criterion", "reason", "who")
    ]


def test_files_of_spreadsheets(tmp_path: Path) -> None:
    """A byte order mark, semicolons, other columns, another order and empty rows do no harm."""
    file = tmp_path / "overrides.csv"
    text = (
        "\ufeffwho;date;submission;criterion;points;reason\r\n;;;;;\r\nProf. K.;1 May; ada"
        " ;results;1;looked at it\r\n"
    )
    file.write_bytes(text.encode())
    assert overrides.read_overrides(file, ["ada"], CRITERIA) == {"ada": [given("results", 1)]}


def test_result_keeps_what_the_machine_said(tmp_path: Path) -> None:
    """The score follows the person, the checks do not change, and the machine's result is what it
    was.
    """
    machine = result("ada", Outcome.FAILED)
    changed = adjustments.with_overrides(machine, [given("shutdown", 1.5)], CRITERIA)
    result_json.write_result(changed, tmp_path / "result.json")
    read = result_json.read_result(tmp_path / "result.json")
    assert read == changed
    assert (read.score, read.max_score, read.checks) == (1.5, 3.0, machine.checks)
    assert read.by_machine() == machine
    words = "shutdown: 0 of 2 -> 1.5 of 2 by hand, Prof. K.: looked at it"
    assert adjustments.change_lines(read) == [words]
    assert class_gradebook.row(read, CRITERIA, ["by_hand"]) == (
        "ada",
        "graded",
        1.5,
        3.0,
        0.0,
        1.5,
        words,
    )


PASSED, FAILED, BUSY = (
    Outcome.PASSED,
    Outcome.FAILED,
    finding(Outcome.INCONCLUSIVE, check="fast", message="busy"),
)
THREE = (*CRITERIA, Criterion(name="speed", points=1))


def machines(*questions: tuple[str, Outcome | Finding]) -> ResultFile:
    """Return a result of the machine: a criterion, and how a question of it ended, over and
    over.
    """
    found = [
        each
        for number, (criterion, ended) in enumerate(questions)
        for each in placed(
            f"t.py::test_{number}",
            ended if isinstance(ended, Finding) else finding(ended),
            criterion=criterion,
        )
    ]
    return graded(found, THREE, status=Status.GRADED, reason="")


def by_criterion(found: ResultFile) -> dict[str, tuple[float, float]]:
    """Return the points of each criterion, held against those of its questions and against the
    sum.
    """
    assert math.fsum(each.points for each in found.criteria) == pytest.approx(found.score, abs=1e-9)
    assert math.fsum(each.max_points for each in found.criteria) == pytest.approx(
        found.max_score, abs=1e-9
    )
    for criterion in found.criteria:
        if criterion.name not in {each.criterion for each in found.overrides}:
            assert math.fsum(each.points for each in criterion.questions) == pytest.approx(
                criterion.points
            )
            assert math.fsum(each.max_points for each in criterion.questions) == pytest.approx(
                criterion.max_points
            )
    return {each.name: (each.points, each.max_points) for each in found.criteria}


SHARED: list[tuple[str, Outcome | Finding]] = [
    ("results", PASSED),
    ("shutdown", FAILED),
    ("shutdown", PASSED),
    ("shutdown", PASSED),
    ("speed", BUSY),
]
"""Of 4 points, 1 of 1 by results and 1.33 of 2 by shutdown; as 1 for speed is undecided they are
worth 4/3 of that.
"""


def test_undecided_criterion_is_decided_by_hand() -> None:
    """The others had its points, and no longer share them: each is worth what the assignment
    says.
    """
    machine = machines(*SHARED)
    assert by_criterion(machine) == {
        "results": (1.33, 1.33),
        "shutdown": (1.78, 2.67),
        "speed": (0.0, 0.0),
    }
    changed = adjustments.with_overrides(machine, [given("speed", 0.5)], THREE)
    assert by_criterion(changed) == {
        "results": (1.0, 1.0),
        "shutdown": (1.33, 2.0),
        "speed": (0.5, 1.0),
    }
    assert (changed.score, changed.max_score, changed.status) == (2.83, 4.0, Status.GRADED)
    assert adjustments.change_lines(changed) == [
        "speed: 0 of 0 -> 0.5 of 1 by hand, Prof. K.: looked at it"
    ]


def test_what_a_person_has_decided_is_not_undecided() -> None:
    """Nobody is told that points were left undecided which somebody has set; the machine's own
    result says so still.
    """
    machine = machines(*SHARED)
    changed = adjustments.with_overrides(machine, [given("speed", 0.5)], THREE)
    assert (machine.undecided.points, machine.undecided.why) == (1.0, ("fast: busy",))
    assert (changed.undecided.points, changed.undecided.why) == (0.0, ())
    assert [each.undecided for each in changed.criteria] == [0.0] * 3
    assert changed.by_machine() == machine
    assert "could not be decided" in terminal.rubric(machine)
    assert "could not be decided" not in terminal.rubric(changed)
    other = adjustments.with_overrides(machine, [given("results", 0.5)], THREE)
    assert other.undecided == machine.undecided


def test_criterion_by_hand_is_worth_its_own_points_beside_an_undecided_one() -> None:
    """What a person has set is fixed at the assignment's points; the rest share those of the
    undecided one.
    """
    changed = adjustments.with_overrides(machines(*SHARED), [given("results", 0.25)], THREE)
    assert by_criterion(changed) == {
        "results": (0.25, 1.0),
        "shutdown": (2.0, 3.0),
        "speed": (0.0, 0.0),
    }
    assert (changed.score, changed.max_score) == (2.25, 4.0)


def test_right_solution_keeps_all_points_beside_any_override() -> None:
    """All passed or undecided, and all given by hand, is the maximum, whichever criterion is
    which.
    """
    for undecided in THREE:
        machine = machines(
            *(
                (each.name, BUSY if each is undecided else PASSED)
                for each in THREE
                for _ in range(3)
            )
        )
        for decided in THREE:
            changed = adjustments.with_overrides(
                machine, [given(decided.name, decided.points)], THREE
            )
            by_criterion(changed)
            assert changed.score == changed.max_score == machine.score == 4.0


def test_points_that_nobody_is_left_to_take_over_are_no_grade() -> None:
    """Where all that the machine decided is set by hand, what it did not decide has to be set too,
    or it is missing.
    """
    machine = machines(("results", PASSED), ("shutdown", BUSY), ("speed", BUSY))
    changed = adjustments.with_overrides(machine, [given("results", 1)], THREE)
    assert (changed.status, changed.final) == (Status.ERROR, None)
    assert changed.reason == "nothing is left to take over what was not decided: 3 of 4 points"
    more = adjustments.with_overrides(machine, [given("results", 1), given("shutdown", 2)], THREE)
    assert (more.status, more.reason) == (
        Status.ERROR,
        "nothing is left to take over what was not decided: 1 of 4 points",
    )
    whole = adjustments.with_overrides(
        machine, [given(each.name, each.points) for each in THREE], THREE
    )
    assert (whole.status, whole.final) == (Status.GRADED, 4.0)


@pytest.mark.parametrize(("criteria", "status"), [(1, Status.UNGRADABLE), (2, Status.GRADED)])
def test_without_a_grade(criteria: int, status: Status) -> None:
    """What cannot be graded has a grade when a person has set every criterion, and not before."""
    decided = [given("results", 0.5), given("shutdown", 1)][:criteria]
    changed = adjustments.with_overrides(result("ada"), decided, CRITERIA)
    assert (changed.status, changed.max_score) == (status, 3.0)
    assert changed.final == (None if status is Status.UNGRADABLE else 1.5)


def test_statistics_are_the_machines() -> None:
    """Points that a person has set say nothing of a check."""
    plain, changed = item_analysis.Tally(), item_analysis.Tally()
    for outcomes in ([Outcome.PASSED], [Outcome.PASSED, Outcome.FAILED], [Outcome.FAILED]):
        machine = result("ada", *outcomes)
        plain.add(machine)
        changed.add(adjustments.with_overrides(machine, [given("results", 0.1)], CRITERIA))
    assert plain.items() == changed.items()
    assert any(item.discrimination for item in plain.items())


def rows(course: Path) -> dict[str, dict[str, str]]:
    """Return the gradebook by submission."""
    with (course / "out" / "gradebook.csv").open(encoding="utf-8", newline="") as file:
        return {row["submission"]: row for row in csv.DictReader(file)}


def test_batch_with_overrides_and_late_rule(
    course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both are in every result and table, survive resuming and regrading, are exported, and go when
    taken back.
    """
    toml = course / "double" / "assignment.toml"
    toml.write_text(toml.read_text() + '\n[late]\npenalty = "0.25 * points * ceil(days)"\n')
    (course / "roster.csv").write_text(
        "name,submitted\nada,2026-03-03T11:00:00Z\nben,2026-03-04T11:00:00Z\n"
    )
    sheet = "assignment,student_id,raw_score,max_score\n"
    sheet += "double,ada,,1\ndouble,ben,,1\ndouble,dan,,1\ndouble,chloe,,1\n"
    (course / "sheet.csv").write_text(sheet)
    usual = ("-j", "4", "--roster", "roster.csv", "--due", "2026-03-02T12:00:00Z")
    batch(course, *usual)
    machine = results(course)
    (course / "out").rename(course / "before")
    (course / "out").mkdir()
    file = course / "out" / "overrides.csv"
    file.write_text(
        f"{HEADER}ben,values,0.8,right idea,Prof. K.\nchloe,values,0.5,a typo,Prof. K.\n", "utf-8"
    )
    for again in ((), ("--resume",)):
        done = batch(course, *usual, *again, "--rubric", "--gradebook", "nbgrader", "sheet.csv")
        assert done.returncode == 0, done.stderr
        assert "values: 0 of 1 -> 0.8 of 1 by hand, Prof. K.: right idea" in done.stdout
        assert (
            "late by 1 day 23 h: 0.8 -> 0.4 points (penalty: 0.25 * points * ceil(days))"
            in done.stdout
        )
        assert "graded by hand; the grader said: ungradable: double.py:1" in done.stdout
        told = ("score", "score_after_late")
        assert {name: tuple(map(row.get, told)) for name, row in rows(course).items()} == {
            "ada": ("1", "0.75"),
            "ben": ("0.8", "0.4"),
            "chloe": ("0.5", "0.5"),
            "dan": ("0", "0"),
            "Zoë O'Hara, jr.": ("1", "1"),
        }
        assert rows(course)["ada"]["by_hand"] == ""
        assert (
            rows(course)["ben"]["by_hand"]
            == "values: 0 of 1 -> 0.8 of 1 by hand, Prof. K.: right idea"
        )
        filled = (course / "out" / "sheet.csv").read_text()
        assert (
            filled == "assignment,student_id,raw_score,max_score\n"
            "double,ada,0.75,1\ndouble,ben,0.4,1\ndouble,dan,0,1\ndouble,chloe,0.5,1\n"
        )
        ben = results(course)["ben"]
        assert (ben["score"], ben["late"]["score"], ben["machine"]["score"]) == (0.8, 0.4, 0.0)
        assert ben["checks"] == machine["ben"]["checks"]
        assert ben["machine"]["criteria"] == machine["ben"]["criteria"]
        assert [(each["points"], each["max_points"]) for each in ben["criteria"]] == [(0.8, 1.0)]
    assert cli.main(["diff", str(course / "before"), str(course / "out")]) == 1
    assert (
        "    values: 0 of 1 -> 0.8 of 1 by hand, Prof. K.: right idea\n" in capsys.readouterr().out
    )
    file.unlink()
    kept = batch(course, "-j", "4", "--resume")
    assert "4 were graded before" in kept.stdout
    assert "since no overrides are given now: 2 (ben; chloe)\n" in kept.stderr
    assert {name: row["score"] for name, row in rows(course).items()}["ben"] == "0"
    assert "overrides" not in results(course)["ben"]


def test_mistake_is_found_before_anything_is_graded(course: Path) -> None:
    """A wrong row ends a batch with its place, and nothing has been graded."""
    (course / "o.csv").write_text(f"{HEADER}nobody,values,1,r,w\n")
    done = batch(course, "--overrides", "o.csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("mpgrade: o.csv:2: there is no submission 'nobody'")
    assert not list((course / "out").glob("*/result.json"))
