"""Grades in the files of course systems: read back by the csv module, and byte by byte where
nothing may change.
"""

from __future__ import annotations

import csv
import dataclasses
import fnmatch
import io

import pytest

from pytest_mpgrade.course import assignment
from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.records import Assignment
from pytest_mpgrade.report.tables import course_gradebook
from pytest_mpgrade.report.tables.course_gradebook import Grade
from pytest_mpgrade.system import lossless_csv


@pytest.fixture
def asked() -> Assignment:
    """Return an assignment of ten points called HW3."""
    return dataclasses.replace(assignment.find_assignment("notebook"), name="hw3", title="HW3")


def fill(
    system: str, text: str, asked: Assignment, grades: list[Grade], column: str = ""
) -> course_gradebook.Filled:
    """Check a sheet and fill it."""
    checked = course_gradebook.checked_sheet(system, text, asked, column)
    return course_gradebook.fill(checked, grades)


def grade(name: str, score: float, *keys: str) -> Grade:
    """Return a grade of somebody."""
    return Grade(submission=name, keys=frozenset({name, *keys}), score=score)


CANVAS = (
    "\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,HW2 (12344),HW3 (12345),Current Score\r\n"
    "    Points Possible,,,,,5,10.0,(read only)\r\n"
    '"Doe, Jane",101,20251234,jdoe,"STATS507 ""A"" 001",4,,80\r\n'
    '"Müller, Jörg\r\njr.",102,20251235,jm,STATS507 001,,"2",\r\n'
    "O'Hara,103,,,STATS507 001,,,"
)
MOODLE = (
    'Identifier,"Full name","Email address",Status,Grade,"Maximum grade","Last modified'
    ' (grade)","Feedback comments"\n"Participant 4711","Jane Doe",jd@x.edu,"Submitted for'
    ' grading",,10.00,-,\n"Participant 4712","Jürgen; Groß",jg@x.edu,"No submission",,10.00,-,\n'
)
BLACKBOARD = (
    "Last Name\tFirst Name\tUsername\tHW3 [Total Pts: 10 Score] |4711\tHW4 [Total Pts: 10 Score]"
    " |4712\r\nDoe\tJane\tjdoe\t\t3\r\n"
)
NBGRADER = (
    "assignment,duedate,timestamp,student_id,raw_score,late_submission_penalty,score,max_score\n"
    "hw2,,,jdoe,1.0,0,1.0,5.0\nhw3,,,jdoe,0.0,0,0.0,10.0\n"
)


def changes(before: str, after: str, delimiter: str = ",") -> dict[tuple[int, int], str]:
    """Return the cells that differ, as the csv module reads both."""
    read = [
        list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
        for text in (before, after)
    ]
    assert [len(row) for row in read[0]] == [len(row) for row in read[1]]
    return {
        (y, x): new
        for y, (old_row, new_row) in enumerate(zip(*read, strict=True))
        for x, (old, new) in enumerate(zip(old_row, new_row, strict=True))
        if old != new
    }


def test_canvas(asked: Assignment) -> None:
    """Rows are found by any id; titles with points, other assignments and names with line ends stay
    as they are.
    """
    grades = [
        grade("doejane_101", 7.5, "101"),
        grade("jm", 10, "102"),
        grade("nobody_999", 3, "999"),
    ]
    done = fill("canvas", CANVAS, asked, grades)
    assert changes(CANVAS, done.text) == {(2, 6): "7.5", (3, 6): "10"}
    assert done.text == CANVAS.replace(",4,,80", ",4,7.5,80").replace(',"2",', ',"10",')
    assert (done.column, done.filled, done.without_row) == ("HW3 (12345)", 2, ("nobody_999",))
    assert done.without_grade == ("103",)


def test_moodle(asked: Assignment) -> None:
    """The participant's number is that of the folder's name."""
    done = fill("moodle", MOODLE, asked, [grade("Jane Doe_4711", 9.25, "4711", "Participant 4711")])
    assert done.text == MOODLE.replace('grading",,10', 'grading",9.25,10')


def test_blackboard(asked: Assignment) -> None:
    """Tabs, and the encoding that Blackboard writes."""
    data = ("\ufeff" + BLACKBOARD).encode("utf-16-le")
    text, encoding = course_gradebook.decode_sheet(data)
    done = fill("blackboard", text, asked, [grade("jdoe", 4)])
    assert done.text.encode(encoding) == data.replace(
        "jdoe\t\t3".encode("utf-16-le"), "jdoe\t4\t3".encode("utf-16-le")
    )


def test_nbgrader(asked: Assignment) -> None:
    """Only rows of this assignment are filled."""
    done = fill("nbgrader", NBGRADER, asked, [grade("jdoe", 8)])
    assert done.text == NBGRADER.replace("hw3,,,jdoe,0.0", "hw3,,,jdoe,8")


@pytest.mark.parametrize(
    ("system", "text", "lines"),
    [
        ("canvas", MOODLE, ["1: this is no sheet of canvas: *; did you mean 'moodle'?"]),
        (
            "canvas",
            CANVAS.replace("10.0", "20"),
            ["2: the column 'HW3 (12345)' is for 20 points, and hw3 has 10"],
        ),
        (
            "moodle",
            MOODLE.replace("10.00", "5.00"),
            ["2: the column 'Grade' is for 5 points, and hw3 has 10"],
        ),
        (
            "canvas",
            CANVAS.replace("HW3", "HW 3") + "\r\n",
            ["1: which column *: 'HW2 (12344)', 'HW 3 (12345)'; name one with --gradebook-column*"],
        ),
        ("canvas", "", ["1: this is no sheet of canvas: *"]),
        ("canvas", CANVAS[: CANVAS.index('"Doe')], ["1: there is no student in it"]),
        (
            "canvas",
            CANVAS.replace("10.0", "20").replace(",STATS507 001,,,", ",STATS507 001"),
            ["2: the column * is for 20 points*", "6: this row has no cell for the grade"],
        ),
        (
            "nbgrader",
            NBGRADER.replace("hw3", "hw03"),
            ["1: no row is about the assignment 'hw3' (* has: hw2, hw03); is it 'hw03' there?"],
        ),
    ],
)
def test_what_does_not_fit(asked: Assignment, system: str, text: str, lines: list[str]) -> None:
    """Another system's sheet, another scale, an open question: a line each, with its place, and
    nothing is guessed.
    """
    with pytest.raises(UsageError) as caught:
        course_gradebook.checked_sheet(system, text, asked)
    told = caught.value.lines
    assert len(told) == len(lines)
    assert all(map(fnmatch.fnmatchcase, told, lines)), told


def test_column_can_be_named(asked: Assignment) -> None:
    """Where titles differ, the column is named."""
    text = CANVAS.replace("HW3", "Home 3")
    done = fill("canvas", text, asked, [grade("x", 1, "101")], "Home 3 (12345)")
    assert changes(text, done.text) == {(2, 6): "1"}


def test_column_that_is_misspelt(asked: Assignment) -> None:
    """A column that the sheet lacks is told with the one that is meant."""
    with pytest.raises(UsageError) as caught:
        course_gradebook.checked_sheet("canvas", CANVAS, asked, "HW3 (12354)")
    words = "1: the sheet has no column 'HW3 (12354)' (did you mean 'HW3 (12345)'?)"
    assert str(caught.value) == words


def test_maximum_below_a_row_of_text(asked: Assignment) -> None:
    """Canvas may have a row of its own above the one that says the most points."""
    posting = ",,,,,,Manual Posting,\r\n    Points"
    with pytest.raises(UsageError, match=r"3: .* is for 20 points"):
        course_gradebook.checked_sheet(
            "canvas", CANVAS.replace("10.0", "20").replace("    Points", posting), asked
        )


@pytest.mark.parametrize(
    ("data", "line"),
    [(b"Student,ID\r\nM\xfcller,1\r\n", 2), (b"\xff\xfea\x00b", 1), (b"\xff", 1)],
)
def test_sheet_in_another_encoding(data: bytes, line: int) -> None:
    """The line that cannot be read is named."""
    with pytest.raises(UsageError, match=f"^{line}: "):
        course_gradebook.decode_sheet(data)


@pytest.mark.parametrize(
    "text",
    [
        *(CANVAS, MOODLE, BLACKBOARD, NBGRADER),
        *("", "a", "a,b", "a,b\n", '"a\n""b"",",c\r\rd,,\n\n', 'x "quoted" y;z\n', ",\n,"),
    ],
)
def test_nothing_changes_by_itself(text: str) -> None:
    """A file that is cut into cells and put together again is the same."""
    assert lossless_csv.read_sheet(text).text() == text
