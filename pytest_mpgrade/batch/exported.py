"""What a batch writes for a class when all are graded: statistics of the checks, a course system's gradebook."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.records import Assignment, Status
from pytest_mpgrade.report import atomic, course_gradebook, items
from pytest_mpgrade.report.course_gradebook import Filled, Grade
from pytest_mpgrade.report.result_json import ResultFile

ITEMS = "items.csv"


def statistics(results: Sequence[ResultFile], out: Path) -> Iterator[str]:
    """Write what the class says of each check below *out*; yield what a person should look at."""
    found = items.items(results)
    items.write(found, out / ITEMS)
    yield from items.worth_a_look(results, found)


def check(system: str, file: str) -> None:
    """Raise UsageError before anything is graded where a sheet could not be filled afterwards."""
    if system not in course_gradebook.SYSTEMS:
        raise UsageError(f"there is no course system {system!r} (there are: {', '.join(course_gradebook.SYSTEMS)})")
    if not Path(file).is_file():
        raise UsageError(f"there is no file {file}")


def fill(
    system: str, file: Path, out: Path, assignment: Assignment, results: Iterable[ResultFile],
    keys: Mapping[str, tuple[str, ...]], column: str = "",
) -> Iterator[str]:  # fmt: skip
    """Write a copy of *file* with the grades in it below *out*; yield what there is to say about it.

    *keys*: by which the course system knows each submission's student. Only what is graded gets a grade. Raises
    UsageError where the file is not what it should be; it is never changed itself.
    """
    try:
        text, encoding = course_gradebook.decode(file.read_bytes())
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from error
    graded = [each for each in results if each.status is Status.GRADED]
    grades = [
        Grade(submission=name, keys=frozenset({name, *keys.get(name, ())}), score=each.score)
        for each in graded
        for name in [each.submission.id]
    ]
    filled = course_gradebook.fill(system, text, assignment, grades, column)
    target = out / file.name
    if target.resolve() == file.resolve():
        target = out / f"filled-{file.name}"
    atomic.write_bytes(filled.text.encode(encoding), target)
    yield from _words(filled, target)


def _words(filled: Filled, target: Path) -> Iterator[str]:
    yield f"{filled.filled} grades in the column {filled.column!r}: {target}"
    for name in filled.without_row:
        yield f"  {name} has a grade and no row in it"
    if filled.without_grade:
        yield f"  {len(filled.without_grade)} of its students have no grade (see mapping.csv)"
