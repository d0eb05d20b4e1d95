"""Solutions whose verdict is known: the reference, further right ones, and the wrong ones with what they must fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_mpgrade.course import assignment as assignments
from pytest_mpgrade.course.toml_text import TomlText
from pytest_mpgrade.errors import AssignmentError, UsageError
from pytest_mpgrade.records import Assignment, Concern

SUFFIXES = (".py", ".ipynb", ".md")
HOSTILE = "hostile"
"""A folder among the wrong solutions with those that attack the grader: what they fail is not the point of them."""
LEAST = 0.1
"""Points that a wrong solution loses at least, where expected.toml says no more."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A solution whose verdict is known."""

    name: str
    path: Path
    concerns: tuple[str, ...] = ()  # that it must fail; none: it is right
    loses: float = 0.0  # points, at least


def cases(assignment: Assignment, right: Sequence[Path] = ()) -> list[Case]:
    """Return the reference, further right solutions, and the wrong ones with what they must fail."""
    folder = assignments.reference_folder(assignment)
    if folder is None:
        raise UsageError(f"{assignment.name} has no reference solution here, so there is nothing to hold it against")
    found = [Case(name="reference", path=folder)]
    found += [Case(name=f"right: {path.stem}", path=path) for given in right for path in _solutions(given)]
    wrong = Path(assignment.folder) / "wrong"
    expected = wrong / "expected.toml"
    if not expected.is_file():
        raise AssignmentError(f"there is no {expected} to say what each wrong solution must fail")
    table = TomlText.of(expected).tables()
    files = {path.stem: path for path in _solutions(wrong)}
    if files.keys() != table.keys():
        odd = sorted(files.keys() ^ table.keys())
        raise AssignmentError(f"{expected}: the tables and the files beside it differ: {', '.join(odd)}")
    return found + [
        Case(
            name=name,
            path=files[name],
            concerns=_concerns(expected, name, table[name]),
            loses=_loses(expected, name, table[name], assignment.points),
        )
        for name in sorted(files)
    ]


def _solutions(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    known = [each for each in path.iterdir() if each.name[0] not in "._" and each.name != HOSTILE]
    return sorted(each for each in known if each.suffix in SUFFIXES or each.is_dir())


def _concerns(place: Path, name: str, row: object) -> tuple[str, ...]:
    given = row.get("concerns") if isinstance(row, dict) else None
    known = {str(concern) for concern in Concern}
    if not isinstance(given, list) or not given or not set(given) <= known:
        raise AssignmentError(f"{place}: [{name}]: concerns must be a list of some of {', '.join(sorted(known))}")
    return tuple(sorted(given))


def _loses(place: Path, name: str, row: object, most: float) -> float:
    """Return how many points a wrong solution loses at least: one that keeps all would be a right one."""
    given = row.get("loses", LEAST) if isinstance(row, dict) else None
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not 0 < given <= most:
        raise AssignmentError(f"{place}: [{name}]: loses must be a number of points, above 0 and up to {most:g}")
    return float(given)
