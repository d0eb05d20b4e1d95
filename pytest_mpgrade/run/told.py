"""What a supervisor and the processes that it watches tell of a run, read as JSON by types: the seam of trust.

Nothing that a process with student code in it wrote is ever unpickled.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field

import msgspec

from pytest_mpgrade.records import (
    Ending,
    GateEvent,
    GateReport,
    Leftover,
    Look,
    Plain,
    ProcessSeen,
    RaisedError,
    Stuck,
    Trace,
)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a supervisor reports of the import, of one call, or of one cell."""

    ending: Ending
    why: str = ""
    stopped: str = ""
    exitcode: int | None = None
    step: int = -1
    caller: int = 0
    in_caller: bool = False
    answer: str = ""
    events: tuple[GateEvent, ...] = ()
    processes: tuple[ProcessSeen, ...] = ()
    leftovers: tuple[Leftover, ...] = ()
    stuck: tuple[Stuck, ...] = ()
    gates: GateReport | None = None
    looks: tuple[Look, ...] = ()
    printed: str = ""
    seconds: float = 0.0
    blocked: float = 0.0
    tries: int = 1

    def trace(self, observer: str) -> Trace:
        """Return what was seen from outside."""
        return Trace(
            caller=self.caller,
            observer=observer,
            events=self.events,
            processes=self.processes,
            leftovers=self.leftovers,
            stuck=self.stuck,
            gates=self.gates,
            looks=self.looks,
        )


@dataclass(frozen=True, kw_only=True)
class Report:
    """What every supervisor's report says, whatever it was asked for."""

    clean: bool
    removed: tuple[str, ...]
    observer: str
    seconds: float
    stderr: str = ""


@dataclass(frozen=True, kw_only=True)
class Error(RaisedError):
    """An exception, as a child tells it."""

    missing: str = ""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a child tells of the import or of one call."""

    facts: dict[str, Plain] = field(default_factory=dict)
    value: Plain = None
    queues: tuple[Plain, ...] = ()
    error: Error | None = None
    functions: dict[str, Plain] = field(default_factory=dict)


def answer(box: str, name: str, cap: int) -> Answer:
    """Read what a child has written: a plain file of at most *cap* bytes, whatever else may lie there in its place."""
    path = os.path.join(box, f"{name}.json")
    try:
        with open(os.open(path, _PLAINLY), "rb") as file:
            data = file.read(cap + 1) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else b""
        if len(data) > cap:
            raise ValueError
        return msgspec.json.decode(data, type=Answer)
    except (OSError, ValueError, RecursionError):
        return Answer(value=["object", "an answer that the grader cannot read"])


_PLAINLY = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
