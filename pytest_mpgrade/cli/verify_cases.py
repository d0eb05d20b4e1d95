"""Solutions whose verdict is known: the reference, other right ones, and wrong ones.

Each wrong solution names the concerns that it must fail.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_mpgrade.cli import wrong_solution_text
from pytest_mpgrade.course.assignment import reference_folder
from pytest_mpgrade.course.toml_text import TomlText
from pytest_mpgrade.errors import AssignmentError, UsageError
from pytest_mpgrade.records import Assignment, Concern
from pytest_mpgrade.system.did_you_mean import nearest

SUFFIXES = (".py", ".ipynb", ".md")
HOSTILE = "hostile"
"""The folder of wrong solutions that attack the grader; which checks they fail is secondary."""
LEAST = 0.1
"""How many points a wrong solution must lose if expected.toml has no other number."""
REFERENCE = "reference"
_KEYS = frozenset(("concerns", "about", "loses", "of", "diff", "own"))


@dataclass(frozen=True, kw_only=True)
class Case:
    """A solution whose verdict is known."""

    name: str
    path: Path  # if it is made from a right design: where it would be
    # concerns that it must fail, that of the cause to fix first at the top; a right one has none
    concerns: tuple[str, ...] = ()
    loses: float = 0.0  # the least number of points
    about: str = ""
    text: str | None = None  # its text if it is made from a right design

    def content(self) -> bytes:
        """Return the content of the file that is graded."""
        return self.path.read_bytes() if self.text is None else self.text.encode()

    def file(self, folder: Path) -> Path:
        """Return the file or folder that is graded.

        A solution that is made from a right design is written into *folder*.
        """
        if self.text is None:
            return self.path
        file = folder / self.path.name
        file.write_bytes(self.content())
        return file


def cases(assignment: Assignment, right: Sequence[Path] = ()) -> list[Case]:
    """Return the reference, other right solutions, and wrong ones with their concerns."""
    folder = reference_folder(assignment)
    if folder is None:
        raise UsageError(
            f"{assignment.name} has no reference solution here, so there is nothing to hold it"
            " against"
        )
    found = [Case(name=REFERENCE, path=folder)]
    found += [
        Case(name=f"right: {path.stem}", path=path) for given in right for path in _solutions(given)
    ]
    return found + wrong_cases(assignment)


def wrong_cases(assignment: Assignment) -> list[Case]:
    """Return the wrong solutions by name.

    Raises AssignmentError where expected.toml does not describe them.
    """
    folder = Path(assignment.folder) / "wrong"
    if not (folder / "expected.toml").is_file():
        raise AssignmentError(
            f"there is no {folder / 'expected.toml'} to say what each wrong solution must fail"
        )
    return _Expected(TomlText.of(folder / "expected.toml"), assignment).cases()


def wrong_solution(assignment: Assignment, name: str) -> Case:
    """Return one wrong solution. Raises UsageError where there is none of that name."""
    known = {case.name: case for case in wrong_cases(assignment)}
    if name not in known:
        raise UsageError(f"{assignment.name} has no wrong solution {name!r}{nearest(name, known)}")
    return known[name]


def _solutions(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    known = [each for each in path.iterdir() if each.name[0] not in "._" and each.name != HOSTILE]
    return sorted(each for each in known if each.suffix in SUFFIXES or each.is_dir())


class _Expected:
    """The content of `wrong/expected.toml`: a table for each wrong solution."""

    def __init__(self, toml: TomlText, assignment: Assignment) -> None:
        self._toml = toml
        self._assignment = assignment
        self._tables = toml.tables()
        self._designs = toml.file.parent / str(self._tables.pop("designs", "../designs"))

    def cases(self) -> list[Case]:
        """Return a case for each table. Raises AssignmentError for the first mistake."""
        files = {path.stem: path for path in _solutions(self._toml.file.parent)}
        asked = {
            name
            for name, row in self._tables.items()
            if not (isinstance(row, dict) and "diff" in row)
        }
        if odd := sorted(files.keys() ^ asked):
            raise AssignmentError(
                f"{self._toml.file}: the tables and the files beside it differ: {', '.join(odd)}"
            )
        return [
            self._case(name, files.get(name), self._tables[name]) for name in sorted(self._tables)
        ]

    def _case(self, name: str, file: Path | None, row: object) -> Case:
        if not isinstance(row, dict):
            raise self._toml.mistake((name,), "must be a table")
        for key in row.keys() - _KEYS:
            raise self._toml.mistake((name, key), f"is not known{nearest(key, _KEYS)}")
        for key in row.keys() & {"about", "of", "diff", "own"}:
            if not isinstance(row[key], str):
                raise self._toml.mistake((name, key), "must be text")
        return Case(
            name=name,
            path=file or self._toml.file.with_name(f"{name}.py"),
            concerns=self._concerns(name, row),
            loses=self._loses(name, row),
            about=row.get("about", ""),
            text=self._text(name, row) if file is None else None,
        )

    def _concerns(self, name: str, row: Mapping[str, Any]) -> tuple[str, ...]:
        given, known = row.get("concerns"), {str(concern) for concern in Concern}
        if not isinstance(given, list) or not given or not {*map(str, given)} <= known:
            odd = [str(each) for each in given if str(each) not in known] if given else []
            near = nearest(odd[0], known) if odd and isinstance(given, list) else ""
            some = f"must be a list of some of {', '.join(sorted(known))}{near}"
            raise self._toml.mistake((name, "concerns"), some)
        return tuple(given)

    def _loses(self, name: str, row: Mapping[str, Any]) -> float:
        """Return how many points a wrong solution must lose.

        It must be more than none: a solution that keeps all its points would be a right one.
        """
        given, most = row.get("loses", LEAST), self._assignment.points
        if isinstance(given, bool) or not isinstance(given, (int, float)) or not 0 < given <= most:
            raise self._toml.mistake(
                (name, "loses"), f"must be a number of points, above 0 and up to {most:g}"
            )
        return float(given)

    def _text(self, name: str, row: Mapping[str, str]) -> str:
        """Return the text of a wrong solution that is a right design with a few lines changed."""
        try:
            return wrong_solution_text.with_fault(
                self._design(name, row.get("of", "")), row.get("about", ""), row["diff"]
            )
        except ValueError as error:
            raise self._toml.mistake((name, "diff"), str(error)) from error

    def _design(self, name: str, of: str) -> str:
        """Return the text of a right design.

        Raises AssignmentError where there is none of that name, or it is no Python.
        """
        known = {path.stem: path for path in self._designs.glob("*.py")}
        folder = reference_folder(self._assignment)
        if folder is not None and (module := folder / self._assignment.module).suffix == ".py":
            known[REFERENCE] = module
        if of not in known:
            near = nearest(of, known) or f" (there are: {', '.join(sorted(known)) or 'none'})"
            raise self._toml.mistake((name, "of"), f"there is no right design {of!r}{near}")
        text = known[of].read_text("utf-8-sig")
        try:
            ast.parse(text)
        except SyntaxError as error:
            raise AssignmentError(f"{known[of]}:{error.lineno}: SyntaxError: {error.msg}") from None
        return text
