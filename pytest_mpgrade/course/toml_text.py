"""The text of an `assignment.toml`, and the line of each part of it.

No TOML parser for Python reports lines.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_mpgrade.errors import AssignmentError, UsageError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Where = tuple["str | int", ...]
"""Keys and indices from the top of the document: ``("criteria", 2, "points")``."""
Fault = tuple[Where, str]
"""The place of a mistake, and what is wrong there."""


@dataclass(frozen=True, kw_only=True)
class TomlText:
    """The text of one file, which can be parsed, and in which mistakes are located."""

    file: Path
    text: str

    @classmethod
    def of(cls, file: Path) -> TomlText:
        """Read a file.

        Raises UsageError where there is none, AssignmentError where it is no text.
        """
        try:
            data = file.read_bytes()
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise UsageError(
                f"there is no assignment at {file.parent}: {file.name}: {why}"
            ) from error
        try:
            return cls(file=file, text=data.decode("utf-8-sig").replace("\r\n", "\n"))
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise AssignmentError(f"{_label(file)}:{line}: not saved as UTF-8") from error

    def tables(self) -> dict[str, object]:
        """Return the parsed content. Raises AssignmentError with the place where it is no TOML."""
        try:
            tables: dict[str, object] = tomllib.loads(self.text)
            return tables
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            what, line = _syntax_error(str(error), self.text)
            raise AssignmentError(f"{_label(self.file)}:{line}: not valid TOML: {what}") from error

    def mistakes(self, faults: Sequence[Fault]) -> AssignmentError:
        """Return an error that names the places of all these, of which there is one at least."""
        first, *others = (self.mistake(where, what) for where, what in faults)
        return AssignmentError(str(first), others=map(str, others))

    def mistake(self, where: Where, what: str) -> AssignmentError:
        """Return an error that names a place in the file."""
        keys = (
            f"[{key}]" if isinstance(key, int) else f".{key if key.isprintable() else repr(key)}"
            for key in where
        )
        dotted = "".join(keys).lstrip(".")
        return AssignmentError(
            f"{_label(self.file)}:{_line(self.text, where)}: {dotted}{': ' * bool(dotted)}{what}"
        )


def _label(file: Path) -> str:
    """Return a path as a user would write it: relative if the file is below the current folder."""
    try:
        return file.resolve().relative_to(Path.cwd()).as_posix()
    except (ValueError, OSError):
        return str(file)


def _syntax_error(message: str, text: str) -> tuple[str, int]:
    found = re.fullmatch(
        r"(.*?) \(at (?:line (\d+), column \d+|end of document)\)", message, re.DOTALL
    )
    what, line = found.groups() if found else (message, None)
    return " ".join(what.split()), int(line or text.rstrip("\n").count("\n") + 1)


def _line(text: str, where: Where) -> int:
    """Return the line on which a key or an array's element begins.

    For a key that is missing, it is the line of the table that lacks it. No TOML parser for Python
    reports lines. But the lines up to any line are a valid document, except within an array or a
    long string. There they are one after a bracket or quotes are appended. The shortest such part
    that has the place ends on its line.
    """
    lines = text.split("\n")
    return max(
        range(1, len(lines) + 1), key=lambda number: _depth("\n".join(lines[:number]), where)
    )


def _depth(part: str, where: Where) -> int:
    """Return how many keys of a place the first part of a document has."""
    for closing in ("", "\n]", "\n]]", '\n"""', "\n'''"):
        try:
            here: Any = tomllib.loads(part + closing)
            break
        except (tomllib.TOMLDecodeError, RecursionError):
            here = None
    for depth, key in enumerate(where):
        try:
            here = here[key]
        except (LookupError, TypeError):
            return depth
    return len(where)
