"""The files that a batch writes for a class: check statistics and the course system's gradebook."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pytest_mpgrade.batch.job import Job
from pytest_mpgrade.errors import UngradableError, UsageError
from pytest_mpgrade.grade.grading import Grading
from pytest_mpgrade.records import Assignment
from pytest_mpgrade.report.overview import Overview, overview
from pytest_mpgrade.report.tables import course_gradebook, item_analysis
from pytest_mpgrade.report.tables.course_gradebook import CourseSheet, Filled, Grade
from pytest_mpgrade.submission import handed_in
from pytest_mpgrade.system import atomic_write
from pytest_mpgrade.system.did_you_mean import nearest, nearest_or_all
from pytest_mpgrade.system.text import clean, counted, one_line, some_of

ITEMS = "items.csv"


class Class:
    """What a batch keeps of a class: one row for each submission, and sums for each check.

    The results themselves are not kept in memory.
    """

    def __init__(self) -> None:
        self.rows: list[Overview] = []
        self.kept = 0  # results of an earlier batch
        self.outdated: list[str] = []  # whose result is kept although something has changed since
        self._tally = item_analysis.Tally()

    def add(self, grading: Grading) -> None:
        """Add the result of one grading to the rows and sums."""
        self.rows.append(overview(grading.result))
        self._tally.add(grading.result)
        self.kept += grading.kept
        self.outdated += [grading.result.submission.id] * grading.outdated

    def left_behind(self, jobs: Sequence[Job]) -> Iterator[str]:
        """Yield lines about submissions that were not chosen, and need a grading."""
        graded = {row.id for row in self.rows}
        kinds = {
            "kept as they were graded before something has changed": self.outdated,
            "without a result": [id for job in jobs if (id := clean(job.id)) not in graded],
        }
        for what, ids in kinds.items():
            if ids:
                yield f"{what}: {some_of(ids)}; --resume grades them"

    def statistics(self, jobs: Sequence[Job], out: Path) -> Iterator[str]:
        """Write the statistics of the checks below *out*; yield lines for a person to look at."""
        items = self._tally.items()
        item_analysis.write_item_analysis(items, out / ITEMS)
        yield from item_analysis.worth_a_look(self.rows, items)
        if len(jobs) >= item_analysis.FEWEST:
            large = heapq.nlargest(
                item_analysis.SHOWN, ((_bytes(job.path), job.id) for job in jobs)
            )
            yield "largest: " + ", ".join(f"{one_line(id)} {_size(size)}" for size, id in large)


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.1f} kB"


def _bytes(path: Path) -> int:
    """Return the size in bytes of a submission, without symbolic links."""
    total = 0
    with suppress(UngradableError):  # too many files: the size of the first ones
        for file in handed_in.files(path):
            total += 0 if file.path.is_symlink() else file.size
    return total


@dataclass(frozen=True, kw_only=True)
class Gradebook:
    """A file of the course system, read and checked before the batch starts."""

    file: Path
    encoding: str
    checked: CourseSheet

    @classmethod
    def read(cls, system: str, file: Path, assignment: Assignment, column: str = "") -> Gradebook:
        """Read a file. Raises UsageError with all its mistakes, where grades cannot be put in."""
        if system not in course_gradebook.SYSTEMS:
            known = nearest_or_all(system, course_gradebook.SYSTEMS)
            raise UsageError(f"there is no course system {system!r} ({known})")
        try:
            data = file.read_bytes()
        except OSError as error:
            raise UsageError(f"cannot read {file}: {error.strerror}") from error
        try:
            text, encoding = course_gradebook.decode_sheet(data)
            checked = course_gradebook.checked_sheet(system, text, assignment, column)
        except UsageError as error:
            first, *others = (f"{file}:{line}" for line in error.lines)
            raise UsageError(first, others=others) from error
        return cls(file=file, encoding=encoding, checked=checked)

    def hold(self, submissions: Mapping[str, tuple[str, ...]]) -> None:
        """Raise UsageError where no submission has a row: it is another class's file."""
        listed = frozenset(key for row in self.checked.students.values() for key in row)
        if all(listed.isdisjoint((id, *keys)) for id, keys in submissions.items()):
            names = [key for id, keys in submissions.items() for key in (id, *keys)]
            near = next((found for name in names if (found := nearest(name, listed))), "")
            raise UsageError(
                f"{self.file}: none of its {counted(len(self.checked.students), 'student')} is one"
                f" of the {counted(len(submissions), 'submission')}, such as {names[0]!r}{near}"
            )

    def write(
        self, out: Path, rows: Iterable[Overview], keys: Mapping[str, tuple[str, ...]]
    ) -> Iterator[str]:
        """Write a copy of the file, with the grades filled in, below *out*; yield lines about it.

        *keys* has the names by which the course system knows each submission's student. Only a
        submission that was graded gets a grade: its score after overrides and the late rule. The
        file itself is never changed.
        """
        grades = [
            Grade(submission=row.id, keys=frozenset({row.id, *keys.get(row.id, ())}), score=final)
            for row in rows
            if (final := row.final) is not None
        ]
        filled = course_gradebook.fill(self.checked, grades)
        target = out / self.file.name
        if target.resolve() == self.file.resolve():
            target = out / f"filled-{self.file.name}"
        atomic_write.write_bytes(filled.text.encode(self.encoding), target)
        yield from _words(filled, target)


def _words(filled: Filled, target: Path) -> Iterator[str]:
    yield f"{filled.filled} grades in the column {filled.column!r}: {target}"
    for name in filled.without_row:
        near = nearest(name, filled.without_grade)
        yield f"  {name} has a grade and no row in it{near}"
    if filled.without_grade:
        yield f"  {len(filled.without_grade)} of its students have no grade (see mapping.csv)"
