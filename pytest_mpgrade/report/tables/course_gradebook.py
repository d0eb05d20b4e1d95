"""Grades filled into the file that a course system has exported.

Columns, order, ids and line ends stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_mpgrade.errors import Mistakes, UsageError
from pytest_mpgrade.records import Assignment
from pytest_mpgrade.system import csv_rows, lossless_csv
from pytest_mpgrade.system.did_you_mean import likely, nearest, nearest_or_all
from pytest_mpgrade.system.text import points

Choose = Callable[[Sequence[str], Assignment], "list[int]"]
"""A function from a header to the columns that may be the one for the grade."""


@dataclass(frozen=True, kw_only=True)
class Grade:
    """What goes into the sheet for one submission."""

    submission: str
    keys: frozenset[str]  # by which its row is found
    score: float


@dataclass(frozen=True, kw_only=True)
class System:
    """How one course system's sheet is built."""

    keys: tuple[str, ...]  # columns by which a student is found
    grade: Choose
    # where the most points are: "row": of Canvas; "title": in the column's name; else a column
    maximum: str = ""
    only: str = ""  # column that says which assignment a row is about


@dataclass(frozen=True, kw_only=True)
class CourseSheet:
    """A sheet that has been checked: who is in which row, and the column for the grades."""

    sheet: lossless_csv.Sheet
    target: int
    students: Mapping[int, frozenset[str]]  # by row; what each is known by

    @property
    def column(self) -> str:
        """The name of the column for the grades."""
        return self.sheet.header()[self.target]


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A sheet with grades in it."""

    text: str
    column: str
    filled: int
    without_row: tuple[str, ...] = ()  # submissions that no row is for
    without_grade: tuple[str, ...] = field(default=())  # rows of students that handed in nothing


def checked_sheet(system: str, text: str, assignment: Assignment, column: str = "") -> CourseSheet:
    """Return an exported sheet. *column*: its name, where several could be meant.

    Raises UsageError, each mistake with its line before it, where it is no such sheet, no column or
    more than one fits, it is for other points, or a row has no cell for the grade.
    """
    known = SYSTEMS[system]
    sheet = lossless_csv.read_sheet(text)
    header = sheet.header()
    ids = [header.index(name) for name in known.keys if name in header]
    if not ids:
        raise UsageError(
            f"1: this is no sheet of {system}: it has none of the columns {', '.join(known.keys)}"
            f"{_like_another(header)}"
        )
    mistakes = Mistakes()
    students = _students(known, sheet, ids, assignment, mistakes)
    target = -1
    with mistakes.collected():
        target = _target(system, known, header, assignment, column)
        _hold_maximum(known, sheet, target, assignment)
    for row in students:
        if target >= len(sheet.rows[row]):
            mistakes.add(f"{sheet.line(row)}: this row has no cell for the grade")
    mistakes.tell()
    return CourseSheet(sheet=sheet, target=target, students=students)


def fill(checked: CourseSheet, grades: Sequence[Grade]) -> Filled:
    """Put grades into a sheet, which is changed."""
    found: dict[str, int] = {}
    missing: list[str] = []
    for row, own in checked.students.items():
        mine = [grade for grade in grades if grade.keys & own]
        if len(mine) == 1:
            checked.sheet.put(row, checked.target, points(mine[0].score))
            found[mine[0].submission] = row
        elif not mine:
            missing.append(", ".join(sorted(own)))
    return Filled(
        text=checked.sheet.text(),
        column=checked.column,
        filled=len(found),
        without_grade=tuple(missing),
        without_row=tuple(grade.submission for grade in grades if grade.submission not in found),
    )


def decode_sheet(data: bytes) -> tuple[str, str]:
    """Return a sheet's text, with its byte order mark, and its encoding.

    That is UTF-8, or UTF-16 as Blackboard writes it. Raises UsageError, with the line, where it is
    none of them.
    """
    encoding = "utf-16-le" if data.startswith(b"\xff\xfe") else "utf-8"
    try:
        return data.decode(encoding), encoding
    except UnicodeDecodeError as error:
        if encoding == "utf-8":
            raise UsageError(csv_rows.not_utf8(error)) from error
        raise UsageError(f"1: it begins as {encoding}, and does not go on as such") from error


def _like_another(header: Sequence[str]) -> str:
    others = [name for name, each in SYSTEMS.items() if {*each.keys} & {*header}]
    return f"; did you mean {others[0]!r}?" if others else ""


def _students(
    known: System,
    sheet: lossless_csv.Sheet,
    ids: Sequence[int],
    assignment: Assignment,
    mistakes: Mistakes,
) -> dict[int, frozenset[str]]:
    """Return the rows about students of the assignment; that there is none is a mistake."""
    header = sheet.header()
    about = header.index(known.only) if known.only in header else -1
    names = [assignment.name, assignment.title]
    students: dict[int, frozenset[str]] = {}
    others: dict[str, None] = {}
    for row in range(1, len(sheet.rows)):
        own = frozenset(sheet.value(row, place).strip() for place in ids) - {""}
        if about >= 0 and sheet.value(row, about) not in names:
            others |= {sheet.value(row, about): None} if own else {}
        elif own and not _no_student(sheet, row):
            students[row] = own
    if others and not students:
        near = likely(assignment.name, others)
        told = f"no row is about the assignment {assignment.name!r}"
        there = f"its column {known.only!r} has: {', '.join(others)}"
        mistakes.add(f"1: {told} ({there}){f'; is it {near!r} there?' if near else ''}")
    elif not students:
        mistakes.add("1: there is no student in it")
    return students


def _target(
    system: str, known: System, header: Sequence[str], assignment: Assignment, column: str
) -> int:
    if column:
        if column not in header:
            raise UsageError(
                f"1: the sheet has no column {column!r} ({nearest_or_all(column, header)})"
            )
        return list(header).index(column)
    fitting = known.grade(header, assignment)
    if len(fitting) != 1:
        could = [header[place] for place in fitting]
        names = ", ".join(map(repr, could)) or "none"
        raise UsageError(
            f"1: which column of {system}'s sheet is {assignment.title!r}? These could be: {names};"
            f" name one with --gradebook-column{nearest(assignment.title, could)}"
        )
    return fitting[0]


def _hold_maximum(
    known: System, sheet: lossless_csv.Sheet, target: int, assignment: Assignment
) -> None:
    """Points of another scale would be wrong grades."""
    row, text = _maximum(known, sheet, sheet.header(), target)
    try:
        most = float(text)
    except ValueError:
        return  # it does not say
    if most != assignment.points:
        own = points(assignment.points)
        raise UsageError(
            f"{sheet.line(row)}: the column {sheet.header()[target]!r} is for {points(most)}"
            f" points, and {assignment.name} has {own}"
        )


def _maximum(
    known: System, sheet: lossless_csv.Sheet, header: Sequence[str], target: int
) -> tuple[int, str]:
    """Return the row that has the most points of the column, and what it says."""
    if known.maximum == "row":
        rows = [row for row in range(1, len(sheet.rows)) if _no_student(sheet, row)]
        told = [(row, sheet.value(row, target)) for row in rows]
        return next((each for each in told if re.search(r"\d", each[1])), (0, ""))
    if known.maximum == "title":
        match = re.search(r"Total Pts: ([\d.]+)", header[target])
        return 0, match[1] if match else ""
    columns = [
        place
        for place, name in enumerate(header)
        if known.maximum and name.lower() == known.maximum
    ]
    return (1, sheet.value(1, columns[0])) if columns and len(sheet.rows) > 1 else (0, "")


def _no_student(sheet: lossless_csv.Sheet, row: int) -> bool:
    """Tell whether a row is about no student.

    Canvas has a row with the maximum of points, and one that says which columns are muted.
    """
    first = sheet.value(row, 0).strip()
    return first == "Points Possible" or not first


def _titled(pattern: str) -> Choose:
    """Return a function that finds the column whose title is the assignment's.

    Where no column has that title, it returns all columns whose names have the form of the pattern.
    """

    def choose(header: Sequence[str], assignment: Assignment) -> list[int]:
        titles = {
            place: match[1].strip()
            for place, name in enumerate(header)
            if (match := re.match(pattern, name))
        }
        named = [
            place for place, title in titles.items() if title in (assignment.title, assignment.name)
        ]
        return named or list(titles)

    return choose


def _named(name: str) -> Choose:
    return lambda header, _: [place for place, each in enumerate(header) if each == name]


SYSTEMS: Mapping[str, System] = {
    "canvas": System(
        keys=("ID", "SIS User ID", "SIS Login ID"), grade=_titled(r"^(.*) \(\d+\)$"), maximum="row"
    ),
    "moodle": System(keys=("Identifier",), grade=_named("Grade"), maximum="maximum grade"),
    "blackboard": System(
        keys=("Username",), grade=_titled(r"^(.*?) \[Total Pts: .*\] ?\|\d+$"), maximum="title"
    ),
    "nbgrader": System(keys=("student_id",), grade=_named("raw_score"), only="assignment"),
}
