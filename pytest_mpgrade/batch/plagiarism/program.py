"""The Python of one submission, notebooks too, as a plagiarism checker can read it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from pytest_mpgrade.batch.packing import file_name
from pytest_mpgrade.errors import UngradableError
from pytest_mpgrade.grade.grading import folder_name
from pytest_mpgrade.submission import handed_in, notebooks

_MOST_BYTES = 1_000_000
"""Bytes of one file: nobody has written more by hand, and a checker may take hours for it."""
_MOST_FILES = 200
"""Files of one submission; a copied library has more, and everybody's is alike."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """What one student has written."""

    id: str
    files: dict[str, bytes]  # by paths with slashes, which are safe below a folder
    left_out: tuple[str, ...] = field(default=())  # what was not taken, and why
    when: str = ""  # time of handing in, where it is known

    @property
    def folder(self) -> str:
        """A safe name for a folder, which no other submission has."""
        return folder_name(self.id)


def read_program(id: str, path: Path, when: str = "") -> Program:
    """Read all Python files of a submission, and the code cells of its notebooks."""
    files: dict[str, bytes] = {}
    left_out: list[str] = []
    try:
        for name, data, fault in _read(path):
            if fault or len(files) == _MOST_FILES:
                left_out.append(f"{name} {fault or 'is one of too many files'}")
            else:
                files[_unique(_safe(name), files)] = data
    except UngradableError as error:
        left_out.append(str(error))
    return Program(id=id, files=files, left_out=tuple(left_out), when=when)


def _read(path: Path) -> Iterator[tuple[str, bytes, str]]:
    """Yield the name and content of each file, and why it is not taken, if it is not."""
    for file in handed_in.files(path):
        suffix = PurePosixPath(file.name).suffix.lower()
        if suffix not in (".py", ".ipynb"):
            continue
        if file.fault:
            yield file.name, b"", file.fault
        elif suffix == ".ipynb":
            yield from _notebook(file)
        elif file.size > _MOST_BYTES:
            yield file.name, b"", "is too large"
        else:
            try:
                yield file.name, handed_in.content(file.path, _MOST_BYTES), ""
            except OSError as error:
                yield file.name, b"", f"cannot be read: {error.strerror}"


def _notebook(file: handed_in.File) -> Iterator[tuple[str, bytes, str]]:
    """Yield the code cells of a notebook as one module: checkers know no notebooks."""
    try:
        cells = notebooks.cells(file.path, file.name)
    except UngradableError as error:
        yield file.name, b"", f"is left out: {error}"
        return
    code = "\n\n".join(text for _, text in cells).encode("utf-8", "backslashreplace")
    if len(code) > _MOST_BYTES:
        yield file.name, b"", "is too large"
    else:
        yield f"{file.name}.py", code + b"\n", ""


def _safe(name: str) -> str:
    return "/".join(file_name(part) for part in name.split("/"))


def _unique(name: str, taken: dict[str, bytes]) -> str:
    """Return a name that no other file has: two strange names may become the same safe one."""
    while name in taken:
        name = f"{name.removesuffix('.py')}-.py"
    return name
