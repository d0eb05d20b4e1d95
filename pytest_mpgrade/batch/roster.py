"""The list of a class, a CSV file with a header: who should hand in, and who has an extension.

A student is known by any cell of a row: user id, user name, name, e-mail address. The gradebook of
Canvas and Moodle's grading worksheet are such lists, too. Of these only the columns that name
people count. Moodle's has the time at which each student handed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.system.csv_rows import CsvRow, read_rows
from pytest_mpgrade.system.timestamps import instant

_SUBMITTED = ("submitted", "last modified (submission)")
_DUE, _EXTENSION = "due", "extension_days"
_TIMES = frozenset((*_SUBMITTED, _DUE, _EXTENSION))
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
    line, for a time that cannot be read.
    """
    found = (_student(file, row, zone) for row in read_rows(file, ()))
    return [each for each in found if each.cells]


def _student(file: Path, row: CsvRow, zone: tzinfo | None) -> RosterRow:
    cells = _cells(row)
    if zone is None:
        return RosterRow(cells=cells)
    named = {name.lower(): cell for name, cell in row.named.items() if cell and cell != "-"}
    submitted = next((named[name] for name in _SUBMITTED if name in named), "")
    try:
        return RosterRow(
            cells=cells,
            due=instant(named[_DUE], zone) if _DUE in named else None,
            extension=_days(named.get(_EXTENSION, "0")),
            submitted=instant(submitted, zone) if submitted else None,
        )
    except ValueError as error:
        raise UsageError(f"{file}:{row.line}: {error}") from error


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
        raise ValueError(f"{_EXTENSION}: expected a number of days, got {text!r}") from error
