"""Read the Python sources that a submission's module or notebook leads to, and their imports.

Nothing is run: the code in which an import has failed must not decide whose fault that is.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pytest_mpgrade.errors import UngradableError
from pytest_mpgrade.records import Submission
from pytest_mpgrade.submission import handed_in, notebooks, syntax
from pytest_mpgrade.submission.imports import Import

_MOST_FILES = 200
"""Files of the student's own that are parsed, for what they import."""
_MOST_NAMES = 20_000
"""Modules that a submission may have, as in `handed_in.MOST_FILES`."""
_MOST_BYTES = 5_000_000
"""Bytes of one module. Nobody writes as many; a table of data may have them."""


@dataclass(frozen=True, kw_only=True)
class Statement:
    """An import on a line of the student's source."""

    file: str  # path below the submission's folder
    cell: int = 0  # number of the code cell in a notebook, from 1
    found: Import
    code: str  # its first line

    @property
    def where(self) -> str:
        """The place as messages name it."""
        return (
            f"code cell {self.cell}, line {self.found.line}"
            if self.cell
            else f"{self.file}:{self.found.line}"
        )

    @property
    def source(self) -> dict[str, object]:
        """The place in the form that evidence has."""
        if self.cell:
            return {"file": self.file, "cell": self.cell, "code": self.code}
        return {"file": self.file, "line": self.found.line, "code": self.code}


@dataclass(frozen=True, kw_only=True)
class SubmissionSources:
    """All sources that belong to a submission's module or notebook."""

    sources: dict[tuple[str, int], bytes]  # by file and number of the cell, or 0
    statements: tuple[Statement, ...]
    own: frozenset[str]  # top-level modules that were handed in
    deeper: frozenset[str]  # modules in other folders of the submission

    def of(self, package: str) -> list[Statement]:
        """Return the imports of a top-level module, or of anything in it."""
        return [each for each in self.statements if each.found.package == package]

    def at(self, file: str, cell: int, line: int) -> list[Statement]:
        """Return the imports on a line."""
        here = (each for each in self.statements if (each.file, each.cell) == (file, cell))
        return [each for each in here if each.found.line <= line <= each.found.last]


@functools.lru_cache(maxsize=4)
def read_sources(submission: Submission, *, notebook: bool) -> SubmissionSources:
    """Return the module or *notebook* of a submission, and its own modules that these import."""
    folder = Path(submission.folder)
    chosen = folder / submission.module
    # Other files beside a single module may belong to another student.
    alone = (
        chosen.suffix == ".py"
        and not notebook
        and Path(submission.path).is_file()
        and _holds(folder, submission)
    )
    own = (
        _Folder(folder)
        if folder.is_dir() and submission.folder and not alone
        else _Folder(Path(os.devnull))
    )
    texts: dict[tuple[str, int], bytes] = {}
    statements: list[Statement] = []
    pending, reached, known = [chosen], {chosen}, set() if notebook else {chosen.stem}
    while pending and len(reached) < _MOST_FILES:
        path = pending.pop(0)
        name = path.relative_to(folder).as_posix()
        begin = len(statements)
        for cell, source in _sources(path, name, notebook and path == chosen):
            texts[name, cell] = source
            statements += _statements(name, cell, source)
        for package in sorted({each.found.package for each in statements[begin:]} - known):
            known.add(package)
            files = [file for file in own.files(package) if file not in reached]
            pending += files
            reached.update(files)
    top = frozenset(own.top) if notebook else frozenset((*own.top, chosen.stem))
    return SubmissionSources(
        sources=texts, statements=tuple(statements), own=top, deeper=frozenset(own.deeper)
    )


def _holds(folder: Path, submission: Submission) -> bool:
    return Path(submission.path).resolve().parent == folder.resolve()


class _Folder:
    """The files of a submission, by the names under which they can be imported."""

    def __init__(self, folder: Path) -> None:
        self.top: dict[str, list[Path]] = {}
        # A module may add another folder of the submission to sys.path.
        self.deeper: dict[str, list[Path]] = {}
        for place, below, names in os.walk(folder):
            below[:] = sorted(name for name in below if not name.startswith((".", "__")))
            parts = Path(place).relative_to(folder).parts
            for path in (Path(place, name) for name in sorted(names) if name.endswith(".py")):
                if handed_in.leads_out(path, folder):
                    continue
                self.top.setdefault(parts[0] if parts else path.stem, []).append(path)
                for name in {*parts[1:], *([path.stem] if parts else [])}:
                    self.deeper.setdefault(name, []).append(path)
            if len(self.top) + len(self.deeper) > _MOST_NAMES:
                break

    def files(self, package: str) -> list[Path]:
        """Return the files of one of the student's own modules, or none."""
        return (self.top.get(package) or self.deeper.get(package, []))[:_MOST_FILES]


def _sources(path: Path, name: str, notebook: bool) -> Iterator[tuple[int, bytes]]:
    with suppress(UngradableError, OSError):
        if notebook:
            yield from ((cell, text.encode()) for cell, text in notebooks.cells(path, name))
        elif path.suffix != ".py":
            yield 0, notebooks.extract(path, name).source.encode()
        elif len(source := handed_in.content(path, _MOST_BYTES + 1)) <= _MOST_BYTES:
            yield 0, source


def _statements(name: str, cell: int, source: bytes) -> Iterator[Statement]:
    with suppress(UngradableError):
        lines = source.decode("utf-8-sig", "replace").split("\n")
        for found in syntax.module_syntax(syntax.parse_module(name, source)).imports:
            yield Statement(
                file=name, cell=cell, found=found, code=lines[found.line - 1].strip()[:300]
            )
