"""A question to a person in the middle of a call: by input(), or by a debugger. Pure.

Standard input of a grading is empty, so input() raises EOFError and a debugger quits. Both are told
for what they are, with the submission's line. What was seen decides: an exception, or a process
that waits for input.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pytest_mpgrade.judge.tracebacks import Thrown, all_of
from pytest_mpgrade.records import Awaited, Frame, Run

_INPUT = re.compile(r"\bEOFError: EOF when reading a line")
_DEBUGGER = re.compile(r"\bBdbQuit\b")
_BREAKS = ("breakpoint", "set_trace")
_DEBUGGERS = ("pdb.py", "bdb.py", "debugger.py")


@dataclass(frozen=True, kw_only=True)
class AskedPerson:
    """Who asks, and where as far as that is known."""

    function: str  # "input()"
    file: str = ""
    line: int = 0
    # the evidence `source`, where the code of this line was seen
    source: dict[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """The line, as ``cv_funcs.py:12``; "" where it is not known."""
        return f"{self.file}:{self.line}" if self.line else ""

    @property
    def words(self) -> str:
        """What to add to a message."""
        at = f" at {self.place}" if self.line else ""
        does = "calls" if self.function.endswith("()") else "stops in"
        return f"your code {does} {self.function}{at}, and a grading has no keyboard"


def asked_by(thrown: Thrown, run: Run) -> AskedPerson | None:
    """Return the question to a person from which an exception comes; None for any other."""
    if _INPUT.search(thrown.words):
        named: tuple[str, ...] = ("input",)
        function = "input()"
    elif _DEBUGGER.search(thrown.words):
        named, function = _BREAKS, "a debugger"
    else:
        return None
    own = thrown.own
    uses = [each for each in run.code.uses if each.name in named]
    # A debugger quits at the line where it has stopped, which may be the one after its call.
    before = [each for each in uses if own is not None and each.line <= own.line]
    # What a worker has sent on as text has no line of its own.
    found = before[-1:] if thrown.type in ("EOFError", "BdbQuit") else uses[: len(uses) == 1]
    if found and found[0].name in _BREAKS:
        function = f"{found[0].name}()"
    line = found[0].line if found else own.line if own and thrown.type == "EOFError" else 0
    return AskedPerson(
        function=function,
        file=_file(own, run) if line else "",
        line=line,
        source=thrown.source if own is not None and own.line == line else {},
    )


def _file(own: Frame | None, run: Run) -> str:
    # The uses that are known are those of the module itself.
    return own.file.rpartition("/")[2] if own else run.code.file


def asked_person(run: Run) -> AskedPerson | None:
    """Return the question to a person that a run shows; None where it shows none."""
    thrown = (asked_by(each, run) for each in all_of(run))
    return next(filter(None, [*thrown, *_waiting(run)]), None)


def _waiting(run: Run) -> Iterable[AskedPerson]:
    for one in run.trace.stuck:
        if Awaited.PERSON in one.awaits:
            own = next((frame for frame in one.frames if frame.own), None)
            files = {frame.file.rpartition("/")[2] for frame in one.frames}
            yield AskedPerson(
                function="input()" if files.isdisjoint(_DEBUGGERS) else "a debugger",
                file=_file(own, run) if own else "",
                line=own.line if own else 0,
            )
