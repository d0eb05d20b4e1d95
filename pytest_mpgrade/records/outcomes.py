"""What a grading tells apart: concerns, outcomes, endings; part of the records."""

from __future__ import annotations

from enum import Enum


class StrEnum(str, Enum):
    """An enum whose members are their own JSON (enum.StrEnum is new in 3.11)."""

    def __str__(self) -> str:
        return str(self.value)


class Concern(StrEnum):
    """What a check asks about; docs/contract.md, concerns."""

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
    RACE = "race"
    RNG = "rng"
    SPEEDUP = "speedup"
    CHUNKING = "chunking"
    NOTEBOOK = "notebook"
    HIDDEN = "hidden"  # only in the students' view of a result; no check has it


class Outcome(StrEnum):
    """How a check ended; docs/contract.md, outcomes."""

    PASSED = "passed"
    FAILED = "failed"
    ABSENT = "absent"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"
    SKIPPED = "skipped"
    NOT_RUN = "not run"


class Ending(StrEnum):
    """How a call ended, as observed from outside; checks decide what that means."""

    RETURNED = "returned"
    RAISED = "raised"
    HUNG = "hung"  # proven, or quiet for long: nothing would ever have happened again
    TIMED_OUT = "timed out"  # not returned at the time limit
    DIED = "died"  # the calling process ended without returning
    NOT_IMPORTED = "not imported"  # the module itself raised, hung or ended the interpreter
    NOT_TRIED = (
        "not tried"  # after the end of an earlier, plainer call this one could show nothing new
    )
    # it exceeded a limit, or sent the grader what no task sends: `why` says which
    STOPPED = "stopped"
    BROKEN = "broken"  # the grader or the machine is at fault


class Status(StrEnum):
    """What a report says of its submission as a whole."""

    GRADED = "graded"
    UNGRADABLE = "ungradable"
    ERROR = "error"


class Doing(StrEnum):
    """What a process that hangs is doing; see run/explain/doing.py."""

    GET = "get"
    PUT = "put"
    WRITE = "write"
    TASK_DONE = "task_done"  # in a queue's join()
    JOIN = "join"
    POOL_JOIN = "pool join"
    POOL_RESULT = "pool result"
    RECEIVE = "receive"
    WAIT = "wait"  # for whichever comes first
    LOCK = "lock"
    BARRIER = "barrier"
    EVENT = "event"
    CONDITION = "condition"
    THREAD = "thread"  # for the end of one of its own
    INPUT = "input"
    SERVE = "serve"  # a manager's process
    GATE = "gate"
    STOPPED = "stopped"
    BUSY = "busy"
    SLEEP = "sleep"
    OTHER = ""


class Role(StrEnum):
    """What a process is in its tree."""

    PARENT = "the parent"
    MANAGER = "the manager"
    WORKER = "worker"


class Awaited(StrEnum):
    """What would end the wait of a process."""

    EXIT = "exit"  # the end of a process
    MESSAGE = "message"  # a task, a sentinel, a result
    LOCK = "lock"  # that another process releases, or a barrier that it comes to
    NOTICE = "notice"  # of an event or a condition
    ROOM = "room"  # in a queue or a pipe, when another process reads from it
    PERSON = "person"


AWAITS: dict[Doing, tuple[Awaited, ...]] = {
    **dict.fromkeys((Doing.GET, Doing.POOL_RESULT, Doing.RECEIVE, Doing.WAIT), (Awaited.MESSAGE,)),
    **dict.fromkeys((Doing.PUT, Doing.WRITE, Doing.TASK_DONE), (Awaited.ROOM,)),
    **dict.fromkeys((Doing.JOIN, Doing.POOL_JOIN, Doing.THREAD), (Awaited.EXIT,)),
    **dict.fromkeys((Doing.LOCK, Doing.BARRIER), (Awaited.LOCK,)),
    **dict.fromkeys((Doing.EVENT, Doing.CONDITION), (Awaited.NOTICE,)),
    Doing.INPUT: (Awaited.PERSON,),
}
"""What ends each kind of wait, where nothing more is known of it."""
