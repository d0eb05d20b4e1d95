"""Requests to a supervisor and its reports: one definition for both ends of the pipes.

A request and a report are a line of JSON each. Their texts may hold names of files that are not
UTF-8, as Python has them (surrogates), which the standard library's JSON keeps. The reader refuses
what does not fit a type.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Union

import msgspec

from pytest_mpgrade.isolation.layer import Isolation
from pytest_mpgrade.records import (
    Again,
    Asleep,
    Awaiting,
    BrokenOff,
    Ending,
    GateEvent,
    GateOpened,
    GateReport,
    Leftover,
    Limits,
    Look,
    Phase,
    ProcessSeen,
    Script,
    StepKind,
    Stuck,
    Trace,
    WebPage,
)

START_SECONDS = 60.0
"""Seconds in which an interpreter or a kernel starts. No code of the submission runs before it has,
so a limit of the assignment does not count.
"""

# --- orders to the zygote

FORK_FILES = 3
"""Files that a `Fork` hands over: standard input, output and error of the server."""
ORDER_BYTES = 4096
"""More than any order or answer has; each is a packet of JSON."""


class Fork(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """Asks for a server; the files come with it (SCM_RIGHTS, unix(7)). Answered by a `Forked`."""

    number: int
    notebooks: bool  # import what executes them, too


class Reap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """Says that nobody will send a signal to a server any more, which has ended."""

    pid: int


class Forked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The answer to a `Fork`."""

    number: int
    pid: int  # which is its group, too; -1: it was not forked


Order = Union[Fork, Reap]  # noqa: UP007 - msgspec reads it in Python 3.10


def bytes_of(message: Order | Forked) -> bytes:
    """Return an order or its answer as a packet."""
    return msgspec.json.encode(message)


def order_in(packet: bytes) -> Order:
    """Read an order; raise ValueError where the packet holds none."""
    order: Order = msgspec.json.decode(packet, type=Order)
    return order


def forked_in(packet: bytes) -> Forked:
    """Read the answer to an order; raise ValueError where the packet holds none."""
    return msgspec.json.decode(packet, type=Forked)


# --- requests


class Guard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """Asks to remove all folders whose paths begin with *mark* when the grader has gone.

    A grader that has sent a `Part` before has nothing to remove.
    """

    mark: str


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """Says that the grader parts from the server, and has no folders left to remove."""


class RunRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every request for a run has."""

    run_folder: str
    isolation: Isolation
    shown: str  # the folder that student code may read, "" for none
    start_method: str
    prefix: str  # of the run's names for semaphores and shared memory
    observer: str
    limits: Limits
    environment: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class StepRequest:
    """What a supervisor has to know of a step; see `records.Step`."""

    do: StepKind
    label: str  # the call as messages name it
    gates: Script
    again: Again | None
    same_holdings: bool
    n: int
    seconds: float
    patience: float
    save: str
    drop: tuple[str, ...]
    last: bool
    look: bool
    let: tuple[str, ...]
    awaited: Awaiting


class CallsRequest(RunRequest, frozen=True, kw_only=True, tag=True):
    """A request to import a module, and to call its functions."""

    child_request: str  # path of the file that only the child reads
    keys: tuple[str, ...] | None  # of all tasks that are handed out; None: not known
    pages: tuple[WebPage, ...]  # of a web server that the run has then
    steps: tuple[StepRequest, ...]


@dataclass(frozen=True, kw_only=True)
class Connection:
    """Where a kernel listens: the content of Jupyter's connection file (jupyter_client)."""

    transport: str
    ip: str
    key: str
    signature_scheme: str
    shell_port: int
    iopub_port: int
    stdin_port: int
    control_port: int
    hb_port: int


class CellsRequest(RunRequest, frozen=True, kw_only=True, tag=True):
    """A request to execute a notebook."""

    file: str  # in the run's folder: the notebook as nbformat 4 has it
    kernel_request: str  # path of the file that only the kernel reads
    connection: Connection
    folder: str  # the kernel's current folder
    python: str  # its interpreter, "" for ours
    names: tuple[str, ...]  # of the variables whose values the grader wants
    cell_seconds: float
    seconds: float
    output_bytes: int


Request = Union[Guard, Part, CallsRequest, CellsRequest]  # noqa: UP007 - msgspec reads it in Python 3.10


# --- reports


@dataclass(frozen=True, kw_only=True)
class Account:
    """What a supervisor reports of the import, of one call, or of one cell."""

    ending: Ending
    why: str = ""
    phase: Phase = Phase.CALL
    still_reading: bool = False
    all_cells: bool = False
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
    crowd: int = 0
    printed: str = ""
    seconds: float = 0.0
    blocked: float = 0.0
    tries: int = 1
    web: str = ""
    openings: tuple[GateOpened, ...] = ()
    asleep: tuple[Asleep, ...] = ()
    began: float = 0.0  # by the monotonic clock
    looked: float = 0.0  # seconds later

    def trace(self, observer: str) -> Trace:
        """Return the part of the account that was seen from outside."""
        return Trace(
            caller=self.caller,
            observer=observer,
            events=self.events,
            processes=self.processes,
            leftovers=self.leftovers,
            stuck=self.stuck,
            gates=self.gates,
            looks=self.looks,
            crowd=self.crowd,
            web=self.web,
            openings=self.openings,
            asleep=self.asleep,
            looked=self.looked,
        )


class RunReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the report of every run has.

    Fields with a default are filled in when all processes of the run have been ended.
    """

    clean: bool = False  # it is proven that no process is left
    removed: tuple[str, ...] = ()  # names of semaphores and shared memory that were left over
    observer: str = ""
    seconds: float = 0.0
    stderr: str


class CallsReport(RunReport, frozen=True, kw_only=True, tag=True):
    """How the import ended, and each call that was reached."""

    imported: Account
    calls: tuple[Account, ...]


class CellsReport(RunReport, frozen=True, kw_only=True, tag=True):
    """How the kernel started, and how each cell ended that was tried."""

    pid: int  # the kernel's, in its own pid namespace
    told: bool  # the kernel has written the values of its variables
    kernel: Account
    cells: tuple[Account, ...]
    left: Account | None = None  # after the last cell, when its processes have had time to end
    after: Account | None = None  # after the end of the kernel


class BrokenOffReport(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True
):
    """A report in place of another one: the grader has ended the supervisor in the middle."""

    broken_off: BrokenOff


class KilledReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=True):
    """A report in place of another one: the supervisor itself was killed."""

    signal: int


Reported = Union[CallsReport, CellsReport, BrokenOffReport, KilledReport]  # noqa: UP007 - msgspec reads it in Python 3.10


def line_of(message: Request | Reported) -> str:
    """Return a request or a report as a line of JSON."""
    return json.dumps(msgspec.to_builtins(message)) + "\n"


def request_in(line: str) -> Request:
    """Read a request; raise ValueError where the line holds none."""
    request: Request = msgspec.convert(json.loads(line), type=Request)
    return request


def report_in(line: bytes) -> Reported:
    """Read a report; raise ValueError where the line holds none."""
    report: Reported = msgspec.json.decode(line, type=Reported)
    return report
