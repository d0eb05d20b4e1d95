"""What coming late costs: the small language of rules, what they make of points, and who is late by
how much.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from pytest_mpgrade.batch import roster
from pytest_mpgrade.batch.lateness import lateness
from pytest_mpgrade.batch.source import load_source
from pytest_mpgrade.course import assignment, expression, late
from pytest_mpgrade.errors import AssignmentError, UsageError
from pytest_mpgrade.records import LateRules
from pytest_mpgrade.system.timestamps import instant
from support.assignment_toml import GOOD, folder, write

__all__ = ["folder"]

DUE = datetime(2026, 3, 2, 12, tzinfo=timezone(timedelta(hours=1)))
HOUR, DAY = 3600.0, 86400.0


# --- the language


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3 - 4 / 8", 6.5),
        ("-(2 + 3)", -5),
        ("+days", 1.5),
        ("min(3, 1, 2) + max(1, points)", 11),
        ("round(days)", 2),
        ("floor(days)", 1),
        ("ceil(days)", 2),
        ("days > 1", 1),
        ("1 < days <= 1.5", 1),
        ("days == 1 or hours != 36", 0),
        ("not days", 0),
        ("5 if days > 1 and hours > 1 else 7", 5),
        ("(days > 1) * 0.1 * points", 1),
        ("1 / 0 if days < 0 else 2", 2),
    ],
)
def test_what_expressions_say(text: str, value: float) -> None:
    """Arithmetic, functions, comparisons and choices mean what they mean in Python."""
    expression.check_expression(text, late.NAMES)
    assert expression.evaluate(text, {"points": 10, "days": 1.5, "hours": 36}) == pytest.approx(
        value
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1 +",
        "points.real",
        "points[0]",
        "2 ** 9",
        "5 // 2",
        "5 % 2",
        "'a' * 3",
        "True",
        "1j",
        "[points]",
        "()",
        "{points}",
        "lambda: 1",
        "[x for x in (1, 2)]",
        "(x := 1)",
        "f'{points}'",
        "__import__('os')",
        "eval('1')",
        "min(1)",
        "round(1, 2)",
        "max(*points)",
        "min(1, 2, key=points)",
        "points(1)",
        "min",
        "day",
        "1e999",
        "1 in points",
        "await points",
        "points is days",
        "1; 2",
        "x = 1",
        "~points",
        "(1)(2)",
        "\0",
        "9" * 400,
        "(" * 200,
        "-" * 299 + "1" * 5,
        "10000000000",
    ],
)
def test_nothing_else_is_taken(text: str) -> None:
    """All other syntax, names and functions are refused before anything is evaluated."""
    with pytest.raises(ValueError, match=r".+"):
        expression.check_expression(text, late.NAMES)


def test_place_of_a_mistake(folder: Path) -> None:
    """A mistake in a rule is found when the assignment is read, with its line, key and column."""
    write(folder, f'{GOOD}\n[late]\npenalty = "0.1 * points * day"\n')
    with pytest.raises(AssignmentError) as caught:
        assignment.load_assignment(folder)
    assert (
        str(caught.value)
        == "hw3/assignment.toml:22: late.penalty: there is no name 'day' (did you mean 'days'?),"
        " at column 16 of '0.1 * points * day'"
    )


@pytest.mark.parametrize("due", ["2026-03-02T12:00:00", "2026-03-02", '"tomorrow"'])
def test_due_time_has_an_offset(folder: Path, due: str) -> None:
    """A due time that means another moment on every machine is refused."""
    write(folder, f"{GOOD}\n[late]\ndue = {due}\n")
    with pytest.raises(AssignmentError, match=r":22: late\.due: expected a time with its offset"):
        assignment.load_assignment(folder)


def test_rule_changes_no_fingerprint(folder: Path) -> None:
    """Another rule does not make a class be graded again."""
    write(folder, GOOD)
    before = assignment.fingerprint(assignment.load_assignment(folder))
    write(folder, f'{GOOD}\n[late]\ndue = {DUE.isoformat()}\npenalty = "days"\n')
    changed = assignment.load_assignment(folder)
    assert changed.late == LateRules(due=DUE, penalty="days")
    assert assignment.fingerprint(changed) == before


# --- rules


@pytest.mark.parametrize(
    ("penalty", "drop", "hours", "left"),
    [
        ("0.1 * points * ceil(days)", "0", 25, 6.4),
        ("0.1 * max_points * days", "0", 24, 7),
        ("100", "0", 1, 0),
        ("-5", "0", 1, 8),
        ("2 * late", "days > 2", 47, 6),
        ("2 * late", "days > 2", 49, 0),
        ("1e9 * 1e9", "0", 1, 0),
        ("max(0, hours - 1)", "0", 0.5, 8),
    ],
)
def test_points_after_the_rule(penalty: str, drop: str, hours: float, left: float) -> None:
    """A penalty is taken off, a drop leaves none; never below 0, never above what there was."""
    rules = LateRules(penalty=penalty, drop=drop)
    assert late.late_points(rules, 8, 10, hours * HOUR) == pytest.approx(left)


def test_bounds_hold_for_whatever_is_written() -> None:
    """Whatever a rule says, the points stay between 0 and what they were, in the assignment's
    steps.
    """
    chance = random.Random(7)
    for _ in range(500):
        texts = [
            f"{chance.choice(late.NAMES)} {chance.choice('+-*')} {chance.uniform(-20, 20):.3f}"
            for _ in "ab"
        ]
        rules = LateRules(penalty=f"{texts[0]} - {texts[1]}", drop=f"{texts[1]} > 5")
        expression.check_expression(rules.penalty, late.NAMES)
        step = chance.choice([0.01, 0.1, 0.25, 0.5, 1])
        points = round(chance.randint(0, int(10 / step)) * step, 6)
        left = late.late_points(rules, points, 10, chance.uniform(0, 9 * DAY), step)
        assert 0 <= left <= points
        assert left / step == pytest.approx(round(left / step), abs=1e-6)


@pytest.mark.parametrize(
    ("penalty", "step", "left"),
    [
        ("points / 3", 0.01, 5.33),
        ("points / 3", 0.5, 5.5),
        ("points / 3", 1, 5),
        ("points / 8", 0.01, 7),
        ("0.125", 0.01, 7.88),
        ("0.75", 0.5, 7.5),
        ("0.1", 1, 8),
        ("0.004", 0.01, 8),
        ("7.996", 0.01, 0),
    ],
)
def test_points_after_the_rule_are_rounded(penalty: str, step: float, left: float) -> None:
    """What is left is rounded half up to the assignment's step, as the score is; nobody meets
    5.333333 points.
    """
    assert late.late_points(LateRules(penalty=penalty), 8, 10, DAY, step) == left


@pytest.mark.parametrize(
    ("penalty", "seconds", "why"),
    [
        ("1 / (days - 1)", DAY, "cannot be evaluated"),
        ("days", None, "nothing says by how much"),
    ],
)
def test_rule_that_cannot_say(penalty: str, seconds: float | None, why: str) -> None:
    """A division by zero or an unknown time gives a reason, and no points that were guessed."""
    with pytest.raises(ValueError, match=why):
        late.late_points(LateRules(penalty=penalty), 8, 10, seconds)


def test_mark_is_enough_for_some_rules() -> None:
    """A rule that asks only whether it was late needs no time."""
    assert late.late_points(LateRules(penalty="2 * late"), 8, 10, None) == 6


# --- who is late


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02T12:00:00+01:00",
        "2026-03-02T11:00:00Z",
        "2026-03-02 11:00:00.000000 UTC",
        "2026-03-02 12:00:00 Europe/Berlin",
        "Monday, 2 March 2026, 12:00 PM",
        "2026-03-02 12:00:00",
    ],
)
def test_times(text: str) -> None:
    """All ways to write a time mean the same moment; what has no offset is in the due time's
    zone.
    """
    assert instant(text, DUE.tzinfo) == DUE


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-13-01", "2026-03-02 12:00:00 Mars/Olympus", "0 UTC"]
)
def test_no_times(text: str) -> None:
    """What is no time is said with an example."""
    with pytest.raises(ValueError, match="expected a time such as 2026"):
        instant(text, DUE.tzinfo)


def blackboard(tmp_path: Path, *students: tuple[str, str]) -> Path:
    """Return a download with an attempt of each student."""
    root = tmp_path / "in"
    root.mkdir()
    for name, time in students:
        (root / f"HW_{name}_attempt_2026-03-02-{time}_cv_funcs.py").write_text(f"x = {name!r}\n")
    return root


def test_lateness_by_the_course_system(tmp_path: Path) -> None:
    """Times in names count in the due time's zone, and extensions move what is due."""
    root = blackboard(
        tmp_path,
        ("ada", "12-00-00"),
        ("ben", "12-30-00"),
        ("chloe", "14-00-00"),
        ("dan", "15-00-00"),
    )
    file = tmp_path / "roster.csv"
    file.write_text(
        "user;due;extension_days\nada;;\nchloe;;0.5\ndan;2026-03-02T13:00:00+00:00;\n", "utf-8"
    )
    found = load_source(root, tmp_path / "out", roster=roster.read_roster(file, DUE.tzinfo))
    told = lateness(found, LateRules(due=DUE))
    assert told.seconds == {"ben": 0.5 * HOUR, "dan": HOUR}
    assert told.notes == ()


def test_lateness_of_marked_and_unknown(tmp_path: Path) -> None:
    """Canvas marks who is late and has no times; a roster with times says more, and who is unknown
    is on time.
    """
    root = tmp_path / "in"
    root.mkdir()
    for name in ("ada_LATE_1_11_a.py", "ben_LATE_2_12_a.py", "chloe_3_13_a.py"):
        (root / name).write_text(f"x = {name!r}\n")
    file = tmp_path / "roster.csv"
    file.write_text("ID,submitted\n1,2026-03-02T13:00:00\n", "utf-8")
    found = load_source(
        root, tmp_path / "out", layout="canvas", roster=roster.read_roster(file, DUE.tzinfo)
    )
    told = lateness(found, LateRules(due=DUE))
    assert told.seconds == {"ada_1": HOUR, "ben_2": None}
    assert "1 submission came, taken as on time" in told.notes[0]


def test_moodle_worksheet_as_roster(tmp_path: Path) -> None:
    """Moodle's own worksheet tells who is late; without a due time its times are not even read."""
    root = tmp_path / "in"
    (root / "Jane Doe_4711_assignsubmission_file").mkdir(parents=True)
    (root / "Jane Doe_4711_assignsubmission_file" / "a.py").write_text("x = 1\n")
    file = tmp_path / "grades.csv"
    head = 'Identifier,"Full name","Last modified (submission)"\n"Participant 4711","Jane Doe",'
    file.write_text(f'{head}"Tuesday, 3 March 2026, 12:00 PM"\n', "utf-8")
    found = load_source(root, tmp_path / "out", roster=roster.read_roster(file, DUE.tzinfo))
    assert lateness(found, LateRules(due=DUE)).seconds == {"Jane Doe_4711": DAY}
    file.write_text(f'{head}"Dienstag, 3. März 2026, 12:00"\n', "utf-8")
    assert len(roster.read_roster(file, None)) == 1
    with pytest.raises(UsageError, match=r"grades\.csv:2: last modified .*: expected a time"):
        roster.read_roster(file, DUE.tzinfo)


def test_group_has_the_time_of_whoever_has_most(tmp_path: Path) -> None:
    """An extension of one member of a group is the group's."""
    pytest.importorskip("yaml")
    root = tmp_path / "in"
    (root / "submission_1").mkdir(parents=True)
    (root / "submission_1" / "a.py").write_text("x = 1\n")
    people = '[{":sid": "a"}, {":sid": "b"}]'
    (root / "submission_metadata.yml").write_text(
        f"submission_1:\n  :submitters: {people}\n  :created_at: 2026-03-03 13:00:00 +01:00\n"
    )
    file = tmp_path / "roster.csv"
    file.write_text("ID,extension_days\na,\nb,1\n", "utf-8")
    found = load_source(
        root, tmp_path / "out", layout="gradescope", roster=roster.read_roster(file, DUE.tzinfo)
    )
    assert lateness(found, LateRules(due=DUE)).seconds == {"a+b": HOUR}


def test_days_are_nobodys_name(tmp_path: Path) -> None:
    """A number of days that is somebody else's user id makes nobody somebody else."""
    file = tmp_path / "roster.csv"
    file.write_text("ID,extension_days\n7,101\n", "utf-8")
    (student,) = roster.read_roster(file, DUE.tzinfo)
    assert not student.is_one_of(frozenset({"101"}))
    assert student.is_one_of(frozenset({"7"}))
