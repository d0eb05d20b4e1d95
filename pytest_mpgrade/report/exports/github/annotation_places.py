"""Annotations on GitHub: commands that mark lines of a student's own files.

Each line is one that a failed check is about.
"""

from __future__ import annotations

from collections.abc import Callable

from pytest_mpgrade.report import grouping
from pytest_mpgrade.report.result_json import CheckPart, ResultFile
from pytest_mpgrade.system.text import joined, one_line

MOST = 10
"""GitHub shows so many errors of a step."""
_LONGEST = 1000
"""Characters of a message. GitHub shows an annotation beside the code, in a box of a few lines."""


def marks(result: ResultFile, locate: Callable[[str], str]) -> list[str]:
    """Return the commands that mark the lines of failed checks.

    *locate* makes of a file's name its path below the workspace, or "" where it is not there.
    """
    return [
        _command(path, place[1], same)
        for same in grouping.alike(result.checks)
        if (place := grouping.source_place(same[0])) and (path := locate(place[0]))
    ][:MOST]


def _command(path: str, line: int, checks: list[CheckPart]) -> str:
    first = checks[0]
    methods = grouping.methods_of(checks)
    title = f"{first.check or first.title} ({first.concern})" + (
        f" under {joined(methods)}" if methods else ""
    )
    said = one_line(first.message)[:_LONGEST] + (
        f" (hint: {one_line(first.hint)})" if first.hint else ""
    )
    return (
        "::error"
        f" file={_property(path)},line={line},title={_property(one_line(title))}::{_data(said)}"
    )


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
