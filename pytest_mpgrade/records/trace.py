"""What the supervisor observes from outside during one call; part of the records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pytest_mpgrade.records.outcomes import Awaited, Doing, Role
from pytest_mpgrade.records.phases import ProcessState, QuiescenceRule
from pytest_mpgrade.records.scripts import ScriptName

EventKind = Literal["note", "gate", "doom", "leave", "lost"]
"""What a task's process reports.

A task began; it stands at its gate; it is about to end its process; a worker stands at its exit
gate; it died at its gate.
"""
Born = Literal["fork", "spawn", "forkserver", "exec", "helper", "unknown"]
"""How a process was started."""
Helper = Literal["", "resource tracker", "fork server", "sandbox"]
"""Which process of Python's own, or of the isolation, a process is."""
LeftoverKind = Literal["thread", "pipe", "semaphore", "shared memory"]


@dataclass(frozen=True, kw_only=True)
class GateEvent:
    """One message of a task to the gatekeeper, with the sender that the kernel attests."""

    kind: EventKind
    key: str
    pid: int
    at: float
    token: str = ""  # given to this process, and to no other, when its gate was opened


@dataclass(frozen=True, kw_only=True)
class GateOpened:
    """The gatekeeper opened the gate at which a process stood."""

    key: str  # of the task; "": the process stood at its exit gate
    pid: int
    at: float


@dataclass(frozen=True, kw_only=True)
class PassedItem:
    """An item on its way through a queue or a pipe, in the words of both processes.

    The submission may have written them: nothing is judged by it.
    """

    source: int  # the pid of who put it
    put: float
    target: int  # and of who got it
    got: float


@dataclass(frozen=True, kw_only=True)
class Asleep:
    """The first thread of a process slept in one wait, by two looks or more."""

    pid: int
    since: float  # the first look that showed it asleep
    until: float  # the last one


@dataclass(frozen=True, kw_only=True)
class ProcessSeen:
    """One process of the student's tree."""

    pid: int
    parent: int
    born: Born
    helper: Helper = ""
    # as in multiprocessing: -N for signal N; None: no end was observed
    exitcode: int | None = None
    at_return: ProcessState = "gone"  # when the call returned
    later: ProcessState = "gone"  # the same once the tree was quiescent, or 2 s later
    ran_task: bool = False  # in this call or an earlier one of its play
    manager: bool = False  # left alive, and a manager's server by its stack
    first: float = 0.0
    ended: float | None = None  # when the end was taken in; None: it has not been
    # the first look after the end that found it reaped: its parent had taken its exit status by
    # then; None: no look did
    reaped: float | None = None
    cpu: float = 0.0
    # a worker of joblib's (loky), which keeps it for the next call and ends it with its parent
    reusable: bool = False
    inside: int = 0  # its pid as it sees itself, in a pid namespace of its own; 0: unknown


@dataclass(frozen=True, kw_only=True)
class Leftover:
    """Something that outlived the call, other than a process."""

    kind: LeftoverKind
    name: str
    own: bool = False  # of a thread: a Python stack has a line of the submission


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One line of a Python stack."""

    file: str
    line: int
    function: str
    own: bool = False  # in the submission


@dataclass(frozen=True, kw_only=True)
class StuckThread:
    """A thread of a process that hangs, beside the one whose wait decides."""

    name: str  # "the main thread", "the feeder thread of a queue", "another thread"
    words: str  # what it waits for
    frame: Frame | None = None  # the submission's innermost; None of a feeder
    code: str = ""


@dataclass(frozen=True, kw_only=True)
class Stuck:
    """One process of a tree that hangs, and what it waits for."""

    pid: int
    role: Role
    doing: Doing
    sentence: str
    number: int = 0  # of a worker, from 1
    words: str = ""  # the sentence without who and where
    awaits: tuple[Awaited, ...] = ()  # what would end its wait: any of these
    whom: tuple[int, ...] = ()  # processes whose end it waits for, where they are known
    holder: int = 0  # the process that has taken what it waits for, where that is known
    frames: tuple[Frame, ...] = ()
    code: str = ""  # the innermost line of the submission's own
    threads: tuple[StuckThread, ...] = ()  # others that are in lines of the submission, or feed

    @property
    def name(self) -> str:
        """The process as messages name it: "worker 1"."""
        return f"{self.role} {self.number}" if self.number else str(self.role)


@dataclass(frozen=True, kw_only=True)
class Whereabouts:
    """Where one process of a run was when the run was broken off."""

    pid: int
    role: Role
    number: int = 0  # of a worker, from 1
    frame: Frame | None = None  # the submission's innermost; None: in none of its lines
    code: str = ""

    @property
    def name(self) -> str:
        """The process as messages name it: "worker 1"."""
        return f"{self.role} {self.number}" if self.number else str(self.role)


@dataclass(frozen=True, kw_only=True)
class BrokenOff:
    """A call that an interrupt has broken off, and where its processes were."""

    call: str
    start_method: str
    seconds: float
    processes: tuple[Whereabouts, ...] = ()


@dataclass(frozen=True, kw_only=True)
class GateStep:
    """The gatekeeper opened one gate and noted which process arrived next."""

    opened: str
    opened_pid: int
    expected: str
    arrived: str | None  # None: no process came
    arrived_pid: int | None = None


@dataclass(frozen=True, kw_only=True)
class GateReport:
    """How a gate script went; rules in run/supervisor/gate_scripts.py."""

    script: ScriptName
    wanted: int = 0  # how many processes were to meet
    met: bool = False
    most_inside: int = 0  # processes other than the caller inside a task together
    alive_then: int = 0  # child processes that existed when the rendezvous was given up
    crew: tuple[int, ...] = ()  # pids inside a task after the rendezvous had settled
    first: tuple[str, ...] = ()  # keys inside then
    steps: tuple[GateStep, ...] = ()
    waiting: tuple[str, ...] = ()  # keys not started when a step went unanswered
    early: bool = False  # the call returned while gates were shut
    blocked: bool = False  # the call was still waiting, in a quiet tree, while its gate was shut
    # tasks that were taken while no process but the *crew* could move; None: nothing was stopped
    drained: int | None = None
    at_exit: tuple[int, ...] = ()  # workers that stood at their exit gate when the call returned
    quiet: QuiescenceRule = ""  # by which rule the tree was quiescent
    # of an awaited call: seconds in which the loop's thread slept each time before it answered
    turns: tuple[float, ...] = ()
    there: float = 0.0  # of a timed call: seconds until the workers were there
    opened: float = 0.0  # and until their gates were opened
    spent: float = 0.0  # from then to the return
    # CPU seconds of the whole tree in that time; None: not observable
    computed: float | None = None


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a process does outside of tasks in some samples of its Python stack."""

    role: Role
    doing: Doing
    file: str
    line: int
    code: str
    times: int
    of: int  # samples of processes of this role, those in tasks too


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One timing of a submission and one of the reference, made right after one another.

    All figures are seconds, the reference's last.
    """

    waiting: tuple[float, float]  # wall time for each further task that only waits
    # CPU time of the whole tree for one more that waits and one that computes
    computing: tuple[float, float] | None
    starting: tuple[float, float]  # until all workers were there
    polling: tuple[float, float] | None = None  # CPU time, of computing, for the one that waits
    # of the longer call that waits: from then to the end of its last task
    working: tuple[float, float] = (0.0, 0.0)
    ending: tuple[float, float] = (0.0, 0.0)  # of the same: from then to the return
    wall: tuple[float, float] = (0.0, 0.0)  # of a few tasks that compute, in n processes
    serial: float = 0.0  # of the same tasks in one process, by the reference; 0.0: not taken


@dataclass(frozen=True, kw_only=True)
class Machine:
    """The machine during a timing."""

    cores: float  # that may be used: affinity, and the quota of cgroups
    load: float  # processes that wanted a core, on average of the last minute; getloadavg(3)
    alone: bool = True  # no other grading of ours was running


@dataclass(frozen=True, kw_only=True)
class Trace:
    """What the supervisor observed from outside during one call."""

    caller: int = 0
    observer: str = ""
    events: tuple[GateEvent, ...] = ()
    processes: tuple[ProcessSeen, ...] = ()
    leftovers: tuple[Leftover, ...] = ()
    stuck: tuple[Stuck, ...] = ()
    gates: GateReport | None = None
    looks: tuple[Look, ...] = ()  # of a call whose stacks were sampled while it ran
    # threads that computed beside the calling thread, of a call that computed to its end
    crowd: int = 0
    web: str = ""  # where the grader's web server was, of a run that had one
    tasks: int = 0  # different ones that the call was given to hand out; 0: not known
    order: tuple[str, ...] = ()  # keys of its first tasks, in the order of submission
    openings: tuple[GateOpened, ...] = ()
    asleep: tuple[Asleep, ...] = ()
    passed: tuple[PassedItem, ...] = ()  # the first ones that each process has put or got
    looked: float = 0.0  # when the processes were looked at last
