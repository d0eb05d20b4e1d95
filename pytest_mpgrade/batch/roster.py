"""The list of a class, a CSV file with a header: who should hand in, and who has an extension.

A student is known by any cell of a row: user id, user name, name, e-mail address. The gradebook of
Canvas and Moodle's grading worksheet are such lists, too. Of these only the columns that name
people count. Moodle's has the time at which each student handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import TypeVar

from pytest_mpgrade.errors import Mistakes, UsageError
from pytest_mpgrade.system.csv_rows import CsvRow, read_rows
from pytest_mpgrade.system.did_you_mean import likely
from pytest_mpgrade.system.timestamps import instant

_SUBMITTED = ("submitted", "last modified (submission)")
_DUE, _EXTENSION = "due", "extension_days"
_TIMES = frozenset((*_SUBMITTED, _DUE, _EXTENSION))
_SURELY = 0.75
"""How similar a column's name is to one of these, 0 to 1, if it is meant to be that one."""
_Value = TypeVar("_Value")
_SHEETS = (
    (("student", "id", "section"), ("student", "id", "sis user id", "sis login id")),
    (
        ("identifier", "full name"),
        ("identifier", "full name", "id number", "username", "email address"),
    ),
)
"""For each course system the columns by which its sheet is known, and those that name people."""
_NOBODY = ("points possible", "student, test")
"""What Canvas has in place of a name: above the grades, and for the teacher's own view."""


@dataclass(frozen=True, kw_only=True)
class RosterRow:
    """One row of a roster."""

    cells: tuple[str, ...]
    due: datetime | None = None
    extension: timedelta = timedelta()
    submitted: datetime | None = None

    def is_one_of(self, keys: frozenset[str]) -> bool:
        """Tell whether one of these keys is this student's."""
        return not keys.isdisjoint(self.cells)


def read_roster(file: Path, zone: tzinfo | None) -> list[RosterRow]:
    """Return all students. Times without an offset are in *zone*, that of the due time.

    *zone* is None where nothing is due; times are not read then. Raises UsageError, with file and
    line, for each time that cannot be read and each column that is misspelt, and where there is
    nobody in it.
    """
    mistakes = Mistakes()
    rows = read_rows(file, (), mistakes)
    if rows:
        for fault in _misspelt(rows[0]):
            mistakes.add(f"{file}:1: {fault}")
    found = [_student(file, row, zone, mistakes) for row in rows]
    mistakes.tell()
    if not any(each.cells for each in found):
        raise UsageError(f"{file}: there is no student in it: a row for each, below a header")
    return [each for each in found if each.cells]


def _misspelt(row: CsvRow) -> Iterator[str]:
    """Yield columns that nearly have the name of one with times.

    Taken for another name of the student, they would cost somebody an extension.
    """
    names = {name.lower() for name in row.named}
    if any(names >= {*known_by} for known_by, _ in _SHEETS):
        return
    for name in sorted(names - _TIMES):
        if near := likely(name, sorted(_TIMES - names), _SURELY):
            yield f"there is no use for a column {name!r}; did you mean {near!r}?"


def _student(file: Path, row: CsvRow, zone: tzinfo | None, mistakes: Mistakes) -> RosterRow:
    cells = _cells(row)
    if zone is None or not cells:
        return RosterRow(cells=cells)
    named = {name.lower(): cell for name, cell in row.named.items() if cell and cell != "-"}

    def read(column: str, parse: Callable[[str], _Value], usual: _Value) -> _Value:
        try:
            return parse(named[column]) if column in named else usual
        except ValueError as error:
            mistakes.add(f"{file}:{row.line}: {column}: {error}")
            return usual

    def time(text: str) -> datetime | None:
        return instant(text, zone)

    submitted = next((name for name in _SUBMITTED if name in named), "")
    return RosterRow(
        cells=cells,
        due=read(_DUE, time, None),
        extension=read(_EXTENSION, _days, timedelta()),
        submitted=read(submitted, time, None),
    )


def _cells(row: CsvRow) -> tuple[str, ...]:
    """Return what a student is known by; nothing for a course system's row that is no student's."""
    named = {name.strip().lower(): cell for name, cell in row.named.items()}
    for known_by, people in _SHEETS:
        if named.keys() >= set(known_by):
            name = named[people[0]].strip().lower()
            if not name or name.startswith(_NOBODY):
                return ()
            return tuple(cell for key in people if (cell := named.get(key, "")))
    # The number of days may be equal to the user id of another student.
    return tuple(cell for name, cell in named.items() if cell and name not in _TIMES)


def _days(text: str) -> timedelta:
    try:
        return timedelta(days=float(text))
    except (ValueError, OverflowError) as error:
        raise ValueError(f"expected a number of days, got {text!r}") from error
