"""What a grading tells apart: concerns, outcomes, endings; part of the records, which are imported from there."""

from __future__ import annotations

from enum import Enum


class StrEnum(str, Enum):
    """An enum whose members are their own JSON (enum.StrEnum is new in 3.11)."""

    def __str__(self) -> str:
        return str(self.value)


class Concern(StrEnum):
    """What a check asks about; CONTRACT section 3."""

    IMPORT = "import"
    RESULTS = "results"
    ORDERING = "ordering"
    WORKERS = "workers"
    CONCURRENCY = "concurrency"
    SENTINEL = "sentinel"
    CLEANUP = "cleanup"
    DEADLOCK = "deadlock"
    FAILURE = "failure"
    START_METHOD = "start_method"
    EDGE = "edge"
    NONBLOCKING = "nonblocking"
    RNG = "rng"
    SPEEDUP = "speedup"
    CHUNKING = "chunking"
    NOTEBOOK = "notebook"
    HIDDEN = "hidden"  # in what students are shown; no check has it


class Outcome(StrEnum):
    """How a check ended; CONTRACT section 4."""

    PASSED = "passed"
    FAILED = "failed"
    ABSENT = "absent"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"
    SKIPPED = "skipped"
    NOT_RUN = "not run"


class Ending(StrEnum):
    """How a call ended, as seen from outside; what that means for a check is another question."""

    RETURNED = "returned"
    RAISED = "raised"
    HUNG = "hung"  # proven, or quiet for long: nothing would ever have happened again
    TIMED_OUT = "timed out"  # not back when the time limit came
    DIED = "died"  # the calling process ended without returning
    NOT_IMPORTED = "not imported"  # the module itself raised, hung or ended the interpreter
    NOT_TRIED = "not tried"  # an earlier, plainer call ended so that this one could teach nothing
    STOPPED = "stopped"  # it went over a limit, or spoke to the grader as no task does: `why` says which
    BROKEN = "broken"  # the grader or the machine is at fault


class Status(StrEnum):
    """What a report says of its submission as a whole."""

    GRADED = "graded"
    UNGRADABLE = "ungradable"
    ERROR = "error"
