"""Exceptions that ended a call or a worker, as facts: what was raised, and at which line of the
submission. Pure.

Nobody catches what a worker raises, so that Python writes it to standard error, and only there it
is found.
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
"""Where files are that are no submission's: of the standard library, of packages, of ours, and what
is no file.
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
        """The exception as the last line of a traceback names it."""
        return f"{self.type}: {self.message}".removesuffix(": ")

    @property
    def own(self) -> Frame | None:
        """The innermost frame that is the submission's."""
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
    """Return what the call raised."""
    error = run.error
    if error is None:
        return None
    return Thrown(
        type=error.type, message=first_line(error.message), frames=error.frames, code=error.line
    )


def first_line(text: str) -> str:
    """Return the first line of a text that says something."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def last_words(run: Run) -> list[Thrown]:
    """Return what workers have raised that ended by it, as far as it is known: each exception
    once.
    """
    found = [each for each in written(run.stderr) if each.ended] or written(run.stderr)
    return list({each.words: each for each in found}.values())


def all_of(run: Run) -> list[Thrown]:
    """Return what the call raised, and then what was written of the exceptions of others, the last
    first.
    """
    mine = by_call(run)
    return [*([mine] if mine else []), *reversed(written(run.stderr))]


def written(stderr: str) -> list[Thrown]:
    """Return the exceptions whose tracebacks are in what was written to standard error, each the
    last of its chain.
    """
    return list(_written(stderr.splitlines()))


def said(stderr: str, most: int) -> list[str]:
    """Return the last lines that were written to standard error, without those that only point at
    others.
    """
    return [line for line in stderr.splitlines() if not _MARKS.match(line)][-most:]


def _written(lines: list[str]) -> Iterator[Thrown]:
    starts = [place for place, line in enumerate(lines) if line.strip() == _BEGINS]
    ended = False
    for start, following in pairwise([*starts, len(lines)]):
        ended = ended or (start > 0 and bool(_OF_PROCESS.match(lines[start - 1].strip())))
        rest = lines[start + 1 : following]
        if any(line.strip().startswith(_GOES_ON) for line in rest):
            continue  # the next one tells what came of it
        found = _one(rest, ended)
        if found is not None:  # else the lines of another process have come between: its own follow
            ended = False
            yield found


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
    """Return the line of code that a traceback has below a frame; what has come between is none."""
    return "".join(
        line.strip()[:120]
        for line in following
        if line.startswith("    ") and not _FRAME.match(line)
    )
