"""The mapping of a batch: what became of each entry of a source and each student of a roster."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_mpgrade.batch.roster import RosterRow
from pytest_mpgrade.errors import Mistakes
from pytest_mpgrade.grade.grading import NOT_YET
from pytest_mpgrade.records import Status
from pytest_mpgrade.system import atomic_write
from pytest_mpgrade.system.csv_rows import read_rows
from pytest_mpgrade.system.did_you_mean import nearest
from pytest_mpgrade.system.text import clean

MAPPING = "mapping.csv"
GRADED, BROKEN = "graded", "an archive that cannot be unpacked"
"""What becomes of an entry that is graded, and of one of which nothing can be."""
NOTHING = "handed in nothing"
_HAVE_RESULTS = frozenset((GRADED, *map(str, Status)))
"""What becomes of entries that get a result file."""
_NOTES = 20
"""The notes are a cell of a table that people read; the archive of a hostile submission may give
rise to thousands.
"""


@dataclass(frozen=True, kw_only=True)
class Mapped:
    """What became of one entry of a source, or of one student of a roster."""

    submission: str
    source: str
    what: str  # `GRADED`, or the reason why it is not
    note: str = ""
    same_as: tuple[str, ...] = ()  # other submissions with the same files

    def noted(self, *notes: str) -> Mapped:
        """Return a copy with more notes; of more than `_NOTES` only the first."""
        shown = [
            *notes[:_NOTES],
            *([f"and {len(notes) - _NOTES} more"] if len(notes) > _NOTES else []),
        ]
        return replace(self, note="; ".join(filter(None, [self.note, *shown])))


def missing_lines(
    roster: Sequence[RosterRow], students: Mapping[str, tuple[str, ...]]
) -> Iterator[Mapped]:
    """Yield a line for each student without a submission, and each submission without a student."""
    known = {student: frozenset((student, *keys)) for student, keys in students.items()}
    everybody = frozenset(key for keys in known.values() for key in keys)
    for each in roster:
        if not each.is_one_of(everybody):
            source = ", ".join(cell for cell in each.cells if cell)
            yield Mapped(submission="", source=source, what=NOTHING)
    listed = {cell for each in roster for cell in each.cells}
    for student, keys in known.items():
        if keys.isdisjoint(listed):
            near = nearest(student, listed)
            note = f"it is in the gradebook all the same{near}"
            yield Mapped(submission=student, source="", what="not in the roster", note=note)


def with_results(
    mapping: Iterable[Mapped], results: Mapping[str, tuple[Status, str]]
) -> Iterator[Mapped]:
    """Yield the lines of a mapping when gradings are done: who got no grade, and why.

    *results* has status and reason of each submission. One without a grade of which no line is
    about something to grade, such as one that is an online text alone, gets a line of its own.
    """
    told = set()
    for each in mapping:
        id = clean(each.submission)
        status, reason = results.get(id, (None, ""))
        if not id or each.what not in (GRADED, BROKEN) or status is Status.GRADED:
            yield each
        elif status is None:
            yield replace(each, what=NOT_YET) if each.what == GRADED else each
        else:
            told.add(id)
            yield replace(each, what=str(status)).noted(reason)
    for id, (status, reason) in results.items():
        if status is not Status.GRADED and id not in told:
            yield Mapped(submission=id, source="", what=str(status), note=reason)


def write_mapping(mapping: Iterable[Mapped], path: Path) -> None:
    """Write a mapping as CSV. Raises UsageError where that fails."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["submission", "source", "what", "note"])
    for each in mapping:
        writer.writerow(map(clean, (each.submission, each.source, each.what, each.note)))
    atomic_write.write_bytes(table.getvalue().encode(), path)


def sources_of(mapping: Iterable[Mapped]) -> dict[str, tuple[str, ...]]:
    """Return for each submission the names of the download's entries that it was made of."""
    found: dict[str, tuple[str, ...]] = {}
    for each in mapping:
        if each.what in _HAVE_RESULTS:
            # Results have clean names, too.
            name = clean(each.submission)
            found[name] = (*found.get(name, ()), each.source)
    return found


def read_mapping(path: Path) -> list[Mapped]:
    """Return a mapping that was written. Raises UsageError where it cannot be read."""
    mistakes = Mistakes()
    rows = read_rows(path, ("submission", "source", "what"), mistakes)
    mistakes.tell()
    return [
        Mapped(
            submission=row.named["submission"], source=row.named["source"], what=row.named["what"]
        )
        for row in rows
    ]
