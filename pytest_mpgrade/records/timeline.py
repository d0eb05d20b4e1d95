"""What each process of a call did, and when, as a drawing shows it; part of the records.

All times are seconds since the call began, by one clock: the supervisor's. What happened before the
call stands at 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pytest_mpgrade.records.outcomes import Ending
from pytest_mpgrade.records.trace import Born

SpanKind = Literal["starting", "own", "gate", "waiting", "ended", "zombie", "alive"]
"""What a process did for a while.

It started its interpreter and imported; it ran lines of its own, tasks among them; the grader held
it at a gate; it slept, waiting for others; it had ended and was not reaped yet; the same, and it
was left so by the call; it was alive after the return of the call.
"""
MarkKind = Literal["task", "dies", "told", "exited"]
"""What a process did at a moment: it began a task, or one that ends its process; it was told to
stop; it ended.
"""
ArrowKind = Literal["started", "reaped", "passed", "awaits"]
"""From a parent to its new child; from the end of a child to the parent that took its exit status,
as join() does; from a process that put an item to the one that got it; from a process that waits to
the one whose end, or lock, it waits for.
"""
MomentKind = Literal["called", "returned", "raised", "gates opened", "given up", "looked"]
"""A moment of the whole call: it began; it came back; the grader stopped holding tasks; the grader
gave the call up; the grader looked for the last time.
"""

Left = Literal["", "zombie", "alive"]


@dataclass(frozen=True, kw_only=True)
class LaneSpan:
    """What a process did from *start* to *end*."""

    kind: SpanKind
    start: float
    end: float
    text: str = ""  # "task 3"; "waits for worker 1 (pid 71) to end"


@dataclass(frozen=True, kw_only=True)
class LaneMark:
    """What a process did at a moment."""

    kind: MarkKind
    at: float
    text: str  # "task 3"; "exit code 0"


@dataclass(frozen=True, kw_only=True)
class LaneThread:
    """A thread of a process that hangs, beside the one of which its lane says what it waits for."""

    name: str  # "the main thread", "another thread"
    says: str  # what it waits for
    since: float  # from when on the process slept; what the thread did before is not known
    file: str = ""  # and the submission's own line at which it waits
    line: int = 0
    code: str = ""


@dataclass(frozen=True, kw_only=True)
class Lane:
    """One process: its spans do not overlap, and they and the marks are in the order of time."""

    pid: int
    name: str  # "the parent", "worker 1", "the manager"
    born: Born | None = None  # None: the calling process
    start: float = 0.0
    end: float | None = None  # None: it had not ended at the last look
    exitcode: int | None = None  # as in `ProcessSeen`
    left: Left = ""  # what was left of it after the return
    says: str = ""  # where the call hung: what it waits for, in words
    file: str = ""  # and the submission's own line at which it waits
    line: int = 0
    code: str = ""
    threads: tuple[LaneThread, ...] = ()
    spans: tuple[LaneSpan, ...] = ()
    marks: tuple[LaneMark, ...] = ()


@dataclass(frozen=True, kw_only=True)
class LaneArrow:
    """An arrow from one process to another, which are named by their pids."""

    kind: ArrowKind
    source: int
    at: float
    target: int
    until: float
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A moment that all processes share."""

    kind: MomentKind
    at: float
    text: str


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """One call, or one schedule of it that breaks it."""

    call: str  # "mp_apply(12 tasks, n_processes=3)"
    start_method: str
    ending: Ending
    end: float  # of all that is shown
    unit: Literal["s", "turn"] = "s"  # of all times: of a schedule the order alone is known
    moments: tuple[Moment, ...] = ()
    lanes: tuple[Lane, ...] = ()  # the caller first
    arrows: tuple[LaneArrow, ...] = ()
    sentences: tuple[str, ...] = ()  # where the call hung: of each process, what it waits for
    more_lanes: int = 0  # processes that are left out
    more_events: int = 0  # spans, marks and passed items that are left out
