"""Read and check all inputs of a batch before its first submission is graded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from pytest_mpgrade.batch.adjustments import Settled
from pytest_mpgrade.batch.lateness import Lateness, lateness
from pytest_mpgrade.batch.overrides import FILE, read_overrides
from pytest_mpgrade.batch.roster import RosterRow, read_roster
from pytest_mpgrade.batch.source import BatchSource, load_source
from pytest_mpgrade.errors import Mistakes, UsageError
from pytest_mpgrade.records import Assignment, LateRules
from pytest_mpgrade.report.adjustments import Override
from pytest_mpgrade.report.tables import class_gradebook
from pytest_mpgrade.system.csv_rows import read_rows
from pytest_mpgrade.system.did_you_mean import nearest
from pytest_mpgrade.system.text import clean, counted, some_of


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """The submissions to grade, and what people have decided about them."""

    source: BatchSource
    settled: Settled
    notes: tuple[str, ...]  # on late submissions, and points that are no longer set by hand

    def words(self) -> tuple[str, ...]:
        """Yield what a teacher should know before the batch starts: what is left out or unknown."""
        left_out = (
            f"{'left out: ' * bool(each.source)}{each.source or each.submission}: {each.what}"
            f"{f': {each.note}' if each.note else ''}"
            for each in self.source.left_out()
        )
        return (*left_out, *self.notes)

    def summary(self) -> tuple[str, ...]:
        """Return lines on what kept entries from a grade, on late ones, and on equal ones."""
        kinds: dict[str, list[str]] = {}
        for each in self.source.left_out():
            kinds.setdefault(each.what, []).append(each.source or each.submission)
        if self.settled.late:
            kinds["late"] = sorted(self.settled.late)
        mapping = self.source.mapping
        alike = {tuple(sorted({one.submission, *one.same_as})) for one in mapping if one.same_as}
        return (
            *(f"{what}: {some_of(names)}" for what, names in kinds.items()),
            *(f"the same files: {some_of(names)}" for names in sorted(alike)),
        )


def prepare(
    source: Path,
    assignment: Assignment,
    out: Path,
    *,
    layout: str = "auto",
    roster: Path | None = None,
    overrides: Path | None = None,
    due: datetime | None = None,
) -> Prepared:
    """Read and check all inputs of a batch.

    *overrides* is by default `overrides.csv` below *out*, if that exists. *due* has an offset from
    UTC, and is by default the assignment's due time. Raises UsageError with the mistakes of all
    inputs.
    """
    rules = assignment.late
    if due is not None:
        rules = replace(rules or LateRules(), due=due)
    zone = rules.due.tzinfo if rules and rules.due else None
    usual = out / FILE
    file = overrides or (usual if usual.is_file() else None)
    loaded: BatchSource | None = None
    students: list[RosterRow] = []
    given: dict[str, list[Override]] = {}
    mistakes = Mistakes()
    with mistakes.collected():
        students = read_roster(roster, zone) if roster else []
    with mistakes.collected():
        loaded = load_source(source, out, layout=layout, roster=students)
        if roster and students:
            _hold_roster(roster, students, loaded)
    with mistakes.collected():
        names = [clean(job.id) for job in loaded.jobs] if loaded else None
        given = read_overrides(file, names, assignment.criteria) if file else {}
    mistakes.tell()
    assert loaded is not None, "else it was a mistake"
    late = lateness(loaded, rules) if rules else Lateness(seconds={}, notes=())
    settled = Settled(
        criteria=assignment.criteria,
        overrides=given,
        late=late.seconds,
        rules=rules,
        step=assignment.round,
    )
    return Prepared(source=loaded, settled=settled, notes=(*late.notes, *_taken_back(out, file)))


def _taken_back(out: Path, overrides: Path | None) -> Iterator[str]:
    """Say whose points were set by hand in an earlier batch, where nothing sets them any more."""
    gradebook = out / class_gradebook.FILE
    if overrides or not gradebook.is_file():
        return
    rows = read_rows(gradebook, (), Mistakes())
    changed = [row.named["submission"] for row in rows if row.named.get(class_gradebook.BY_HAND)]
    if changed:
        yield (
            "points set by hand in an earlier batch count no more, since no overrides are given"
            f" now: {some_of(changed)}"
        )


def _hold_roster(file: Path, students: Sequence[RosterRow], source: BatchSource) -> None:
    """Raise UsageError where nobody of the roster has handed in: it is another class's."""
    handed_in = frozenset(key for id, keys in source.keys.items() for key in (id, *keys))
    if not any(each.is_one_of(handed_in) for each in students):
        known = {cell for each in students for cell in each.cells}
        near = next((found for key in sorted(handed_in) if (found := nearest(key, known))), "")
        raise UsageError(
            f"{file}: none of its {counted(len(students), 'student')} is one of the"
            f" {counted(len(source.jobs), 'submission')}, such as {source.jobs[0].id!r}{near}"
        )
