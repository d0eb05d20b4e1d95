"""Exceptions as facts: what was raised, and at which line of the submission. Pure.

Nobody catches what a worker raises. Python then writes a traceback to standard error, and the
grader can read the exception only there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from pytest_mpgrade.records import Frame, Run

_LIBRARY = re.compile(
    r"^<|[\\/](?:lib[\\/]python3|Lib[\\/]|site-packages[\\/]|pytest_mpgrade[\\/])"
)
"""Paths that do not belong to a submission.

These are files of the standard library, of installed packages and of this package, and names such
as ``<string>``.
"""
_BEGINS = "Traceback (most recent call last):"
_FRAME = re.compile(r'^\s+File "(.+)", line (\d+), in (\S+)')
_RAISED = re.compile(r"^([A-Za-z_][\w.]*)(?:: (.*)|:)?$")
_MARKS = re.compile(r"^[\s~^]*$")
_GOES_ON = ("During handling of the above", "The above exception was")
_OF_PROCESS = re.compile(r"^(?:Process \S+|\w*Process-[\d:]+):$")


@dataclass(frozen=True, kw_only=True)
class Thrown:
    """An exception, as text."""

    type: str  # without its module
    message: str = ""  # its first line
    frames: tuple[Frame, ...] = ()  # the innermost last
    code: str = ""  # of the innermost line that is the submission's
    ended: bool = False  # it has ended a process

    @property
    def words(self) -> str:
        """The exception as the last line of a traceback has it."""
        return f"{self.type}: {self.message}".removesuffix(": ")

    @property
    def own(self) -> Frame | None:
        """The innermost frame that is in the submission."""
        return next((frame for frame in reversed(self.frames) if frame.own), None)

    @property
    def source(self) -> dict[str, Any]:
        """The evidence `source`: the student's own line; empty where there is none."""
        own = self.own
        if own is None:
            return {}
        return {
            "source": {"file": own.file.rpartition("/")[2], "line": own.line, "code": self.code}
        }

    @property
    def where(self) -> str:
        """The student's own line, to be put after a sentence; "" where there is none."""
        own = self.own
        return (
            f", at {own.file.rpartition('/')[2]}:{own.line}: {self.code}".removesuffix(": ")
            if own
            else ""
        )


def by_call(run: Run) -> Thrown | None:
    """Return what the call raised; None where it did not raise."""
    error = run.error
    if error is None:
        return None
    return Thrown(
        type=error.type, message=first_line(error.message), frames=error.frames, code=error.line
    )


def first_line(text: str) -> str:
    """Return the first line of a text that is not empty."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def last_words(run: Run) -> list[Thrown]:
    """Return the exceptions that ended workers, each once.

    Where no traceback says that its process ended, these are all exceptions on standard error.
    """
    exceptions = [each for each in written(run.stderr) if each.ended] or written(run.stderr)
    return list({each.words: each for each in exceptions}.values())


def all_of(run: Run) -> list[Thrown]:
    """Return what the call raised, then the exceptions on standard error, the last first."""
    mine = by_call(run)
    return [*([mine] if mine else []), *reversed(written(run.stderr))]


def written(stderr: str) -> list[Thrown]:
    """Return the exceptions whose tracebacks are in a text from standard error.

    Of a chain of exceptions it returns the last.
    """
    return list(_written(stderr.splitlines()))


def said(stderr: str, most: int) -> list[str]:
    """Return the last lines on standard error, without lines that only mark a place in another."""
    return [line for line in stderr.splitlines() if not _MARKS.match(line)][-most:]


def _written(lines: list[str]) -> Iterator[Thrown]:
    starts = [place for place, line in enumerate(lines) if line.strip() == _BEGINS]
    ended = False
    for start, following in pairwise([*starts, len(lines)]):
        ended = ended or (start > 0 and bool(_OF_PROCESS.match(lines[start - 1].strip())))
        rest = lines[start + 1 : following]
        if any(line.strip().startswith(_GOES_ON) for line in rest):
            continue  # the next traceback is of the exception that this one led to
        thrown = _one(rest, ended)
        if thrown is not None:  # else another process wrote between these lines, and its own follow
            ended = False
            yield thrown


def _one(lines: list[str], ended: bool) -> Thrown | None:
    frames, code = [], ""
    for place, line in enumerate(lines):
        frame = _FRAME.match(line)
        if frame:
            own = not _LIBRARY.search(frame[1])
            frames.append(Frame(file=frame[1], line=int(frame[2]), function=frame[3], own=own))
            code = _code(lines[place + 1 : place + 2]) if own else code
        elif raised := _RAISED.match(line):
            return Thrown(
                type=raised[1].rpartition(".")[2],
                message=(raised[2] or "").strip()[:160],
                frames=tuple(frames),
                code=code,
                ended=ended,
            )
    return None


def _code(following: list[str]) -> str:
    """Return the line of code below a frame of a traceback.

    It is "" where output of another process stands there.
    """
    return "".join(
        line.strip()[:120]
        for line in following
        if line.startswith("    ") and not _FRAME.match(line)
    )
