"""Mistakes in what a batch is given besides submissions: all are told before anything is graded."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pytest_mpgrade import cli
from pytest_mpgrade.batch import roster
from pytest_mpgrade.errors import UsageError
from support.small_class import RIGHT, SOLUTIONS, hand_in, set_up, words

CANVAS = """\
Student,ID,SIS Login ID,Section,Double a number (7)
    Points Possible,,,,1
"Lovelace, Ada",101,ada,,
Ben,102,ben,,
"""
OVERRIDES = "submission,criterion,points,reason,who\n"
ROSTER = "name,submitted,extension_days\n"


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a class of two, in which the command runs."""
    set_up(tmp_path, ["ada", "ben"])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(capsys: pytest.CaptureFixture[str], *options: str) -> list[str]:
    """Run a batch that ends with exit code 2 and grades nothing; return what it says."""
    assert cli.main(words(*options)[3:]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert not list(Path("out").glob("*/result.json"))
    return said.err.splitlines()


def test_all_inputs_are_told_at_once(two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Gradebook, roster and overrides are all read before the first grading, whatever is wrong with
    the others.
    """
    Path("canvas.csv").write_text(CANVAS.replace(",,,,1", ",,,,5"))
    Path("roster.csv").write_text(f"{ROSTER}ada,soon,x\nben,2026-03-02,none\n")
    Path("by-hand.csv").write_text(f"{OVERRIDES}adda,values,1,r,w\nben,value,1,r,w\n")
    options = ["--gradebook", "canvas", "canvas.csv", "--due", "2026-03-01T00:00:00Z"]
    said = refused(capsys, *options, "--roster", "roster.csv", "--overrides", "by-hand.csv")
    days = "extension_days: expected a number of days, got"
    assert said == [
        "mpgrade: canvas.csv:2: the column 'Double a number (7)' is for 5 points, and double has 1",
        "mpgrade: roster.csv:2: extension_days: expected a number of days, got 'x'",
        "mpgrade: roster.csv:2: submitted: expected a time such as 2026-03-02T23:59:00+01:00,"
        " got 'soon'",
        f"mpgrade: roster.csv:3: {days} 'none'",
        "mpgrade: by-hand.csv:2: there is no submission 'adda' (did you mean 'ada'?)",
        "mpgrade: by-hand.csv:3: there is no criterion 'value' (did you mean 'values'?)",
    ]


def test_source_that_is_missing_hides_nothing(
    two: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where there are no submissions, criteria and points by hand are checked all the same."""
    shutil.rmtree("class")
    Path("by-hand.csv").write_text(f"{OVERRIDES}ada,values,2,r,w\n")
    assert refused(capsys, "--overrides", "by-hand.csv", "--roster", "none.csv") == [
        "mpgrade: cannot read none.csv: No such file or directory",
        "mpgrade: there is no folder or archive class",
        "mpgrade: by-hand.csv:2: expected points from 0 to 1 for 'values', got '2'",
    ]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--gradebook canvsa canvas.csv", "no course system 'canvsa' (did you mean 'canvas'?)"),
        ("--gradebook canvas nothing.csv", "cannot read nothing.csv: No such file or directory"),
        ("--gradebook moodle canvas.csv", "canvas.csv:1: this is no sheet of moodle: it has none"),
        ("--gradebook canvas latin.csv", "latin.csv:2: not saved as UTF-8"),
        (
            "--gradebook canvas canvas.csv --gradebook-column Setcion",
            "canvas.csv:1: the sheet has no column 'Setcion' (did you mean 'Section'?)",
        ),
        ("--gradebook-column Section", "--gradebook-column names a column of the file of"),
        (
            "--gradebook canvas others.csv",
            "others.csv: none of its 2 students is one of the 2 submissions, such as 'ada'; did",
        ),
        (
            "--roster others.csv",
            "others.csv: none of its 2 students is one of the 2 submissions, such as 'ada'; did",
        ),
        ("--roster nobody.csv", "nobody.csv: there is no student in it: a row for each, below a"),
        ("--roster latin.csv", "latin.csv:2: not saved as UTF-8"),
    ],
)
def test_files_that_do_not_fit(
    two: Path, capsys: pytest.CaptureFixture[str], options: str, said: str
) -> None:
    """A file of another kind, class or encoding is one line before anything is graded."""
    Path("canvas.csv").write_text(CANVAS)
    Path("others.csv").write_text(CANVAS.replace(",ada,", ",adda,").replace(",ben,", ",bob,"))
    Path("latin.csv").write_bytes(b"Student,ID\nM\xfcller,1\n")
    Path("nobody.csv").write_text("Student,ID\n")
    (line,) = refused(capsys, *options.split())
    assert said in line


@pytest.mark.parametrize(
    ("header", "near"),
    [
        ("name,submited", "'submited'; did you mean 'submitted'?"),
        ("name,Extension days", "'extension days'; did you mean 'extension_days'?"),
    ],
)
def test_roster_with_a_misspelt_column(tmp_path: Path, header: str, near: str) -> None:
    """A column of times that is nearly named right is no further name of the student."""
    file = tmp_path / "roster.csv"
    file.write_text(f"{header}\nada,3\n")
    with pytest.raises(UsageError) as caught:
        roster.read_roster(file, None)
    assert str(caught.value) == f"{file}:1: there is no use for a column {near}"


def test_column_of_the_gradebook_is_told_before(
    two: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which column the grades go into is said where a batch begins, and who has none at its end."""
    hand_in(two, "adda", RIGHT)
    assert SOLUTIONS["ada"] == RIGHT
    Path("canvas.csv").write_text(CANVAS)
    assert cli.main(words("--gradebook", "canvas", "canvas.csv")[3:]) == 0
    said = capsys.readouterr().out
    told = "grades go into the column 'Double a number (7)' of canvas.csv"
    assert said.index(told) < said.index("[1/3]")
    assert "2 grades in the column 'Double a number (7)': out/canvas.csv" in said
    assert "adda has a grade and no row in it" in said
    assert Path("out", "canvas.csv").read_text() == CANVAS.replace(",ada,,", ",ada,,1").replace(
        ",ben,,", ",ben,,0"
    )
