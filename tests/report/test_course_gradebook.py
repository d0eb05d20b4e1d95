"""Grades in the files of course systems: read back by the csv module, and byte by byte where
nothing may change.
"""

from __future__ import annotations

import csv
import dataclasses
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
    done = course_gradebook.fill("canvas", CANVAS, asked, grades)
    assert changes(CANVAS, done.text) == {(2, 6): "7.5", (3, 6): "10"}
    assert done.text == CANVAS.replace(",4,,80", ",4,7.5,80").replace(',"2",', ',"10",')
    assert (done.column, done.filled, done.without_row) == ("HW3 (12345)", 2, ("nobody_999",))
    assert done.without_grade == ("103",)


def test_moodle(asked: Assignment) -> None:
    """The participant's number is that of the folder's name."""
    done = course_gradebook.fill(
        "moodle", MOODLE, asked, [grade("Jane Doe_4711", 9.25, "4711", "Participant 4711")]
    )
    assert done.text == MOODLE.replace('grading",,10', 'grading",9.25,10')


def test_blackboard(asked: Assignment) -> None:
    """Tabs, and the encoding that Blackboard writes."""
    data = ("\ufeff" + BLACKBOARD).encode("utf-16-le")
    text, encoding = course_gradebook.decode_sheet(data)
    done = course_gradebook.fill("blackboard", text, asked, [grade("jdoe", 4)])
    assert done.text.encode(encoding) == data.replace(
        "jdoe\t\t3".encode("utf-16-le"), "jdoe\t4\t3".encode("utf-16-le")
    )


def test_nbgrader(asked: Assignment) -> None:
    """Only rows of this assignment are filled."""
    done = course_gradebook.fill("nbgrader", NBGRADER, asked, [grade("jdoe", 8)])
    assert done.text == NBGRADER.replace("hw3,,,jdoe,0.0", "hw3,,,jdoe,8")


@pytest.mark.parametrize(
    ("system", "text", "why"),
    [
        ("canvas", MOODLE, "this is no sheet of canvas"),
        ("canvas", CANVAS.replace("10.0", "20"), "the sheet is for 20 points, and hw3 has 10"),
        ("moodle", MOODLE.replace("10.00", "5.00"), "the sheet is for 5 points, and hw3 has 10"),
        ("canvas", CANVAS.replace("HW3", "Home 3"), "'HW2 (12344)', 'Home 3 (12345)'; name one"),
        ("canvas", "", "this is no sheet of canvas"),
    ],
)
def test_what_does_not_fit(asked: Assignment, system: str, text: str, why: str) -> None:
    """Another system's sheet, another scale, an open question: one line, and nothing is guessed."""
    with pytest.raises(UsageError) as caught:
        course_gradebook.fill(system, text, asked, [grade("doejane_101", 7.5, "101")])
    assert why in str(caught.value)


def test_column_can_be_named(asked: Assignment) -> None:
    """Where titles differ, the column is named."""
    text = CANVAS.replace("HW3", "Home 3")
    done = course_gradebook.fill("canvas", text, asked, [grade("x", 1, "101")], "Home 3 (12345)")
    assert changes(text, done.text) == {(2, 6): "1"}


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
