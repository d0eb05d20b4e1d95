"""Annotations on GitHub: commands that mark lines of a student's own files.

Each line is one that a failed check is about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pytest_mpgrade.records import Outcome
from pytest_mpgrade.report.result_json import CheckPart, ResultFile
from pytest_mpgrade.system.text import joined, one_line

MOST = 10
"""GitHub shows so many errors of a step."""
_LONGEST = 1000
"""Characters of a message. GitHub shows an annotation beside the code, in a box of a few lines."""


def source_place(check: CheckPart) -> tuple[str, int] | None:
    """Return the name of a student's file and the line in it that a check names; without one, None.

    Of a hang it is the line at which the first process of those that hang waits.
    """
    place = check.evidence.get("source")
    if isinstance(place, Mapping) and isinstance(place.get("line"), int) and place["line"] > 0:
        return str(place.get("file", "")), place["line"]
    return None


def marks(result: ResultFile, locate: Callable[[str], str]) -> list[str]:
    """Return the commands that mark the lines of failed checks.

    *locate* makes of a file's name its path below the workspace, or "" where it is not there.
    """
    found: dict[tuple[str, int, str, str], list[CheckPart]] = {}
    for check in result.checks:
        place = source_place(check)
        if check.outcome is Outcome.FAILED and place and (path := locate(place[0])):
            found.setdefault((path, place[1], check.check, check.hint), []).append(check)
    return [_command(path, line, same) for (path, line, _, _), same in found.items()][:MOST]


def _command(path: str, line: int, checks: list[CheckPart]) -> str:
    first = checks[0]
    methods = list(dict.fromkeys(check.start_method for check in checks if check.start_method))
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
