"""Grades filled into the file that a course system has exported.

Columns, order, ids and line ends stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.records import Assignment
from pytest_mpgrade.system import lossless_csv
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
class Filled:
    """A sheet with grades in it."""

    text: str
    column: str
    filled: int
    without_row: tuple[str, ...] = ()  # submissions that no row is for
    without_grade: tuple[str, ...] = field(default=())  # rows of students that handed in nothing


def fill(
    system: str, text: str, assignment: Assignment, grades: Sequence[Grade], column: str = ""
) -> Filled:
    """Put grades into an exported sheet. *column*: its name, where several could be meant.

    Raises UsageError where it is not such a sheet, no column or more than one fits, or it is for
    other points.
    """
    known = SYSTEMS[system]
    sheet = lossless_csv.read_sheet(text)
    header = sheet.header()
    ids = [header.index(name) for name in known.keys if name in header]
    if not ids:
        raise UsageError(
            f"this is no sheet of {system}: it has none of the columns {', '.join(known.keys)}"
        )
    target = _target(system, known, header, assignment, column)
    _hold_maximum(known, sheet, header, target, assignment)
    found: dict[str, int] = {}
    missing: list[str] = []
    about = header.index(known.only) if known.only in header else -1
    for row in range(1, len(sheet.rows)):
        if about >= 0 and sheet.value(row, about) not in (assignment.name, assignment.title):
            continue
        own = {sheet.value(row, place).strip() for place in ids} - {""}
        mine = [grade for grade in grades if grade.keys & own]
        if len(mine) == 1 and target < len(sheet.rows[row]):
            sheet.put(row, target, points(mine[0].score))
            found[mine[0].submission] = row
        elif own and not mine and not _no_student(sheet, row):
            missing.append(", ".join(sorted(own)))
    return Filled(
        text=sheet.text(),
        column=header[target],
        filled=len(found),
        without_grade=tuple(missing),
        without_row=tuple(grade.submission for grade in grades if grade.submission not in found),
    )


def decode_sheet(data: bytes) -> tuple[str, str]:
    """Return a sheet's text, with its byte order mark, and its encoding.

    That is UTF-8, or UTF-16 as Blackboard writes it.
    """
    encoding = "utf-16-le" if data.startswith(b"\xff\xfe") else "utf-8"
    try:
        return data.decode(encoding), encoding
    except UnicodeDecodeError as error:
        raise UsageError(f"the sheet is not encoded in {encoding}: {error}") from error


def _target(
    system: str, known: System, header: Sequence[str], assignment: Assignment, column: str
) -> int:
    if column:
        if column not in header:
            raise UsageError(f"the sheet has no column {column!r}")
        return list(header).index(column)
    fitting = known.grade(header, assignment)
    if len(fitting) != 1:
        names = ", ".join(repr(header[place]) for place in fitting) or "none"
        raise UsageError(
            f"which column of {system}'s sheet is {assignment.title!r}? These could be: {names};"
            " name one"
        )
    return fitting[0]


def _hold_maximum(
    known: System,
    sheet: lossless_csv.Sheet,
    header: Sequence[str],
    target: int,
    assignment: Assignment,
) -> None:
    """Points of another scale would be wrong grades."""
    try:
        most = float(_maximum(known, sheet, header, target))
    except ValueError:
        return  # it does not say
    if most != assignment.points:
        own = points(assignment.points)
        raise UsageError(f"the sheet is for {points(most)} points, and {assignment.name} has {own}")


def _maximum(known: System, sheet: lossless_csv.Sheet, header: Sequence[str], target: int) -> str:
    if known.maximum == "row":
        rows = [row for row in range(1, len(sheet.rows)) if _no_student(sheet, row)]
        return sheet.value(rows[0], target) if rows else ""
    if known.maximum == "title":
        match = re.search(r"Total Pts: ([\d.]+)", header[target])
        return match[1] if match else ""
    columns = [
        place
        for place, name in enumerate(header)
        if known.maximum and name.lower() == known.maximum
    ]
    return sheet.value(1, columns[0]) if columns and len(sheet.rows) > 1 else ""


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
