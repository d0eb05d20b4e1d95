"""The values that flow through a grading; frozen, keyword-only, imported by every room.

    Assignment -> Submission -> Scenario -> Run (with its Trace) -> Finding -> Report

Times are seconds; ``at`` counts from the start of the call. Process ids are those that the
supervisor sees.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pytest_mpgrade.records.cell import Cell as Cell
from pytest_mpgrade.records.cell import NotebookDocument as NotebookDocument
from pytest_mpgrade.records.cell import Outputs as Outputs
from pytest_mpgrade.records.cell import lost_function as lost_function
from pytest_mpgrade.records.cell import shown_text as shown_text
from pytest_mpgrade.records.child import ChildFacts as ChildFacts
from pytest_mpgrade.records.child import Parameter as Parameter
from pytest_mpgrade.records.child import Plain as Plain
from pytest_mpgrade.records.code import CALLED_TARGET as CALLED_TARGET
from pytest_mpgrade.records.code import Code as Code
from pytest_mpgrade.records.code import Use as Use
from pytest_mpgrade.records.code import again_in as again_in
from pytest_mpgrade.records.exploration import Broken as Broken
from pytest_mpgrade.records.exploration import Schedule as Schedule
from pytest_mpgrade.records.exploration import schedule_in as schedule_in
from pytest_mpgrade.records.finding import Entry as Entry
from pytest_mpgrade.records.finding import Finding as Finding
from pytest_mpgrade.records.instead import Evidence as Evidence
from pytest_mpgrade.records.instead import Instead as Instead
from pytest_mpgrade.records.instead import laid_to as laid_to
from pytest_mpgrade.records.outcomes import AWAITS as AWAITS
from pytest_mpgrade.records.outcomes import Awaited as Awaited
from pytest_mpgrade.records.outcomes import Concern as Concern
from pytest_mpgrade.records.outcomes import Doing as Doing
from pytest_mpgrade.records.outcomes import Ending as Ending
from pytest_mpgrade.records.outcomes import Outcome as Outcome
from pytest_mpgrade.records.outcomes import Role as Role
from pytest_mpgrade.records.outcomes import Status as Status
from pytest_mpgrade.records.outcomes import StrEnum as StrEnum
from pytest_mpgrade.records.phases import Phase as Phase
from pytest_mpgrade.records.phases import ProcessState as ProcessState
from pytest_mpgrade.records.phases import QuiescenceRule as QuiescenceRule
from pytest_mpgrade.records.phases import WaitEnd as WaitEnd
from pytest_mpgrade.records.plain_values import NoValue as NoValue
from pytest_mpgrade.records.plain_values import Opaque as Opaque
from pytest_mpgrade.records.plain_values import python_value as python_value
from pytest_mpgrade.records.points import ANOTHER as ANOTHER
from pytest_mpgrade.records.points import CALLER as CALLER
from pytest_mpgrade.records.points import WORKER as WORKER
from pytest_mpgrade.records.points import Point as Point
from pytest_mpgrade.records.points import Visit as Visit
from pytest_mpgrade.records.points import point_in as point_in
from pytest_mpgrade.records.rules import EnvironmentRules as EnvironmentRules
from pytest_mpgrade.records.rules import ExploreRules as ExploreRules
from pytest_mpgrade.records.rules import LateRules as LateRules
from pytest_mpgrade.records.rules import Limits as Limits
from pytest_mpgrade.records.rules import NotebookRules as NotebookRules
from pytest_mpgrade.records.rules import SpeedRules as SpeedRules
from pytest_mpgrade.records.runs import Exploration as Exploration
from pytest_mpgrade.records.runs import Lack as Lack
from pytest_mpgrade.records.runs import Notebook as Notebook
from pytest_mpgrade.records.runs import RaisedError as RaisedError
from pytest_mpgrade.records.runs import Run as Run
from pytest_mpgrade.records.runs import Scaling as Scaling
from pytest_mpgrade.records.runs import Timing as Timing
from pytest_mpgrade.records.runs import as_kind as as_kind
from pytest_mpgrade.records.scenarios import Again as Again
from pytest_mpgrade.records.scenarios import Awaiting as Awaiting
from pytest_mpgrade.records.scenarios import PlayRound as PlayRound
from pytest_mpgrade.records.scenarios import Scenario as Scenario
from pytest_mpgrade.records.scenarios import Step as Step
from pytest_mpgrade.records.scenarios import StepKind as StepKind
from pytest_mpgrade.records.scores import Asked as Asked
from pytest_mpgrade.records.scores import Criterion as Criterion
from pytest_mpgrade.records.scores import CriterionScore as CriterionScore
from pytest_mpgrade.records.scores import QuestionScore as QuestionScore
from pytest_mpgrade.records.scores import Score as Score
from pytest_mpgrade.records.scores import Undecided as Undecided
from pytest_mpgrade.records.scores import Unit as Unit
from pytest_mpgrade.records.scripts import Drained as Drained
from pytest_mpgrade.records.scripts import GateScript as GateScript
from pytest_mpgrade.records.scripts import HeldPoints as HeldPoints
from pytest_mpgrade.records.scripts import HeldTask as HeldTask
from pytest_mpgrade.records.scripts import HeldTasks as HeldTasks
from pytest_mpgrade.records.scripts import KeptGates as KeptGates
from pytest_mpgrade.records.scripts import OpenGates as OpenGates
from pytest_mpgrade.records.scripts import Rendezvous as Rendezvous
from pytest_mpgrade.records.scripts import Script as Script
from pytest_mpgrade.records.scripts import ShutGates as ShutGates
from pytest_mpgrade.records.scripts import TimedStart as TimedStart
from pytest_mpgrade.records.timeline import ArrowKind as ArrowKind
from pytest_mpgrade.records.timeline import Lane as Lane
from pytest_mpgrade.records.timeline import LaneArrow as LaneArrow
from pytest_mpgrade.records.timeline import LaneMark as LaneMark
from pytest_mpgrade.records.timeline import LaneSpan as LaneSpan
from pytest_mpgrade.records.timeline import LaneThread as LaneThread
from pytest_mpgrade.records.timeline import Left as Left
from pytest_mpgrade.records.timeline import MarkKind as MarkKind
from pytest_mpgrade.records.timeline import Moment as Moment
from pytest_mpgrade.records.timeline import MomentKind as MomentKind
from pytest_mpgrade.records.timeline import SpanKind as SpanKind
from pytest_mpgrade.records.timeline import Timeline as Timeline
from pytest_mpgrade.records.trace import Asleep as Asleep
from pytest_mpgrade.records.trace import Born as Born
from pytest_mpgrade.records.trace import BrokenOff as BrokenOff
from pytest_mpgrade.records.trace import EventKind as EventKind
from pytest_mpgrade.records.trace import Frame as Frame
from pytest_mpgrade.records.trace import GateEvent as GateEvent
from pytest_mpgrade.records.trace import GateOpened as GateOpened
from pytest_mpgrade.records.trace import GateReport as GateReport
from pytest_mpgrade.records.trace import GateStep as GateStep
from pytest_mpgrade.records.trace import Helper as Helper
from pytest_mpgrade.records.trace import Leftover as Leftover
from pytest_mpgrade.records.trace import LeftoverKind as LeftoverKind
from pytest_mpgrade.records.trace import Look as Look
from pytest_mpgrade.records.trace import Machine as Machine
from pytest_mpgrade.records.trace import Pair as Pair
from pytest_mpgrade.records.trace import PassedItem as PassedItem
from pytest_mpgrade.records.trace import ProcessSeen as ProcessSeen
from pytest_mpgrade.records.trace import Stuck as Stuck
from pytest_mpgrade.records.trace import StuckThread as StuckThread
from pytest_mpgrade.records.trace import Trace as Trace
from pytest_mpgrade.records.trace import Whereabouts as Whereabouts
from pytest_mpgrade.records.web import WebPage as WebPage
from pytest_mpgrade.records.web import WebPageKind as WebPageKind

RESULT_FILE = "result.json"
"""The name of the result file in the folder of a grading."""
RESULT_SCHEMA = "mpgrade.result/2"


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """One assignment, parsed once from its `assignment.toml`, then trusted."""

    name: str
    title: str
    folder: str
    module: str
    functions: dict[str, tuple[str, ...]]  # name -> parameter names
    start_methods: tuple[str, ...]
    criteria: tuple[Criterion, ...]
    test_file: str
    ordering: str = "any"  # or "submission"
    round: float = 0.01  # the score is a multiple of it
    limits: Limits = field(default_factory=Limits)
    speedup: SpeedRules = field(default_factory=SpeedRules)
    explore: ExploreRules = field(default_factory=ExploreRules)
    notebook: NotebookRules | None = None
    environment: EnvironmentRules = field(default_factory=EnvironmentRules)
    late: LateRules | None = None

    @property
    def points(self) -> float:
        """The sum of the points of all criteria."""
        return sum(criterion.points for criterion in self.criteria)


@dataclass(frozen=True, kw_only=True)
class Submission:
    """A student's submission, and which module of it is graded."""

    id: str
    path: str
    folder: str = ""  # goes on sys.path
    module: str = ""  # file name, e.g. "cv_funcs.py"
    sha256: str = ""
    note: str = ""  # how the module was found, where it has another name than asked for
    imports: tuple[str, ...] = ()  # top-level packages that it imports, by syntax
    code: Code = field(default_factory=Code)


@dataclass(frozen=True, kw_only=True)
class Report:
    """One graded submission; the only thing that reports and exports read."""

    assignment: str
    submission: Submission
    status: Status
    reason: str = ""
    score: Score = field(default_factory=Score)
    entries: tuple[Entry, ...] = ()
    containment: dict[str, object] = field(default_factory=dict)
    environment: dict[str, object] = field(default_factory=dict)
    timelines: dict[str, Timeline] = field(default_factory=dict)  # by the key of the run
    started: str = ""  # UTC, ISO 8601
    seconds: float = 0.0
