"""The list of a class, a CSV file with a header: who should hand in, and who has an extension.

A student is known by any cell of a row: user id, user name, name, e-mail address. Moodle's grading
worksheet is such a list, too, and has the time at which each student handed in.
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
    return [_student(file, row, zone) for row in read_rows(file, ())]


def _student(file: Path, row: CsvRow, zone: tzinfo | None) -> RosterRow:
    # The number of days may be equal to the user id of another student.
    cells = tuple(cell for name, cell in row.named.items() if cell and name.lower() not in _TIMES)
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


def _days(text: str) -> timedelta:
    try:
        return timedelta(days=float(text))
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{_EXTENSION}: expected a number of days, got {text!r}") from error
