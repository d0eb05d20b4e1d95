"""One call of a submission, how it ended, and what was observed; part of the records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from pytest_mpgrade.records.cell import Cell, NotebookDocument
from pytest_mpgrade.records.child import ChildFacts, Plain
from pytest_mpgrade.records.code import Code
from pytest_mpgrade.records.exploration import Broken
from pytest_mpgrade.records.finding import Finding
from pytest_mpgrade.records.outcomes import Ending
from pytest_mpgrade.records.phases import Phase
from pytest_mpgrade.records.plain_values import NoValue, python_value
from pytest_mpgrade.records.points import Visit
from pytest_mpgrade.records.rules import SpeedRules
from pytest_mpgrade.records.trace import Frame, Machine, Pair, ProcessSeen, Trace


@dataclass(frozen=True, kw_only=True)
class RaisedError:
    """An exception of the student's code, as text."""

    type: str
    message: str
    chain: tuple[str, ...] = ()  # "Type: message" of its causes and contexts
    frames: tuple[Frame, ...] = ()
    line: str = ""  # the student's own line of code


@dataclass(frozen=True, kw_only=True)
class Lack:
    """Something that a submission imports and that is missing, as the grader itself found."""

    message: str
    hint: str = ""
    # the course allows it, so that the grader is at fault and nothing can be judged
    ours: bool = False
    unknown: bool = False  # no package has this name: probably a missing file of the student's own
    # the student's own line: file, line, code
    source: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Run:
    """One call of one function of the submission, how it ended, and what was observed."""

    key: str  # equal keys: the same run
    call: str  # "mp_apply(12 tasks, n_processes=3)"
    function: str
    # its arguments that were given by name
    named: Mapping[str, object] = field(default_factory=dict)
    tasked: bool = True  # it may have been given tasks of `pytest_mpgrade.tasks`
    lazily: bool = False  # it was given a generator, which can be gone through only once
    start_method: str
    ending: Ending
    why: str = ""  # in words: by which rule it ended and in which phase, or what is broken
    phase: Phase = Phase.CALL  # in which it ended
    still_reading: bool = False  # TIMED_OUT: the calling process was taking in results to the end
    stopped: str = ""  # STOPPED: the limit that was exceeded, or the message that no task sends
    # of the calling process, -N for signal N; None: it was there, or is not known
    exitcode: int | None = None
    encoded: Plain = None  # what it returned, as `inside/plain_data.py` encodes it
    error: RaisedError | None = None
    printed: str = ""
    stderr: str = ""
    seconds: float = 0.0
    # of these: while the caller waited, and no other process ran or wanted a core
    blocked: float = 0.0
    tries: int = 1  # how often the call was repeated until it answered otherwise
    code: Code = field(default_factory=Code)  # of the module that was called
    facts: ChildFacts = field(default_factory=ChildFacts)  # reported by the child: advisory
    trace: Trace = field(default_factory=Trace)
    visits: tuple[Visit, ...] = ()  # of its round, if it was explored: reported from inside
    # TIMED_OUT: seconds that the reference has just needed for the same; 0: not known
    theirs: float = 0.0
    control: bool | None = None  # whether the grader's own processes met at such a gate afterwards
    # TIMED_OUT, or HUNG while it spun: an earlier call of the same process, whose threads have
    # computed meanwhile
    beside: Run | None = None
    returned_under: str = ""  # the call did not return, but does under this other start method
    import_children: int = 0  # processes that the import of the module started
    in_caller: bool = False  # in some call of its play, a task ran in the calling process
    because: str = ""  # NOT_TRIED: the check whose verdict is the reason
    cause: Run | None = None  # the run on which that check has its verdict
    lack: Lack | None = None  # a module or package that it imports is missing

    @property
    def at(self) -> str:
        """The call with its start method, as messages name it."""
        return f"{self.call} under {self.start_method}"

    @property
    def value(self) -> Any:
        """What the call returned, as plain Python values; see `plain_values.python_value`.

        A call that did not return has a `NoValue`, which says how it ended. ``==`` is Python's, for
        which 1 and True are equal; `checks.returns_value` tells types apart.
        """
        if self.ending is Ending.RETURNED:
            return python_value(self.encoded)
        raised = f": {self.error.type}: {self.error.message}" if self.error else ""
        return NoValue(f"{self.at} {self.ending}{raised}")


@dataclass(frozen=True, kw_only=True)
class Timing(Run):
    """A call that was timed in turn with the reference.

    As a Run it is the submission's last one, with the seconds of the whole timing.
    """

    pairs: tuple[Pair, ...] = ()
    rules: SpeedRules = field(default_factory=SpeedRules)
    machine: Machine = field(default_factory=lambda: Machine(cores=1, load=0))
    reference: bool = True  # a reference is installed
    problem: str = ""  # why the reference could not be timed


@dataclass(frozen=True, kw_only=True)
class Scaling(Run):
    """A call that was timed with several numbers of processes; as a Run: the last."""

    # processes -> seconds, in the order of rounds
    times: dict[int, tuple[float, ...]] = field(default_factory=dict)
    machine: Machine = field(default_factory=lambda: Machine(cores=1, load=0))


@dataclass(frozen=True, kw_only=True)
class Exploration(Run):
    """A call under many schedules; as a Run it is the one without any hold."""

    tried: Mapping[int, int] = field(default_factory=dict)  # holds -> schedules that came to all
    plain: Finding | None = None  # what fails without any hold
    broken: Broken | None = None
    unsure: int = 0  # schedules that broke a call, and not in each replay
    source: Mapping[str, str] = field(default_factory=dict)  # "cv_funcs.py:22" -> the line


@dataclass(frozen=True, kw_only=True)
class Notebook(Run):
    """A notebook that was executed; as a Run it ended as the last of its cells that was tried.

    Its trace has all processes that its kernel has started: at the end of that cell, and again
    after the seconds in which they may end.
    """

    pid: int = 0  # of the kernel, as it sees itself
    cells: tuple[Cell, ...] = ()  # code cells
    # of the variables that tests ask for, as far as they exist
    values: dict[str, Plain] = field(default_factory=dict)
    told: bool = False  # the kernel could still report them
    looked: bool = False  # its processes were observed when the last cell was done
    after: tuple[ProcessSeen, ...] = ()  # processes that still ran when the kernel had ended
    document: NotebookDocument = field(default_factory=dict)

    @property
    def failing(self) -> Cell | None:
        """The cell that was tried and did not come to its end."""
        return next(
            (each for each in self.cells if each.ending not in (Ending.RETURNED, Ending.NOT_TRIED)),
            None,
        )


_Kind = TypeVar("_Kind", Timing, Scaling, Exploration)


def as_kind(kind: type[_Kind], run: Run, **more: Any) -> _Kind:
    """Return a run with all that a kind of it adds."""
    return kind(**{each.name: getattr(run, each.name) for each in fields(Run)}, **more)
