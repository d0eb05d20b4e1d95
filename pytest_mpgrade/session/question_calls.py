"""Which calls a question makes: its test is run with a `Recorder` in place of the student.

Nothing is called. The test's checks see runs that were not tried, and what they or the test's own
asserts make of these is of no interest.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_mpgrade.course import start_methods
from pytest_mpgrade.errors import AssignmentError, UsageError
from pytest_mpgrade.judge.check import Judge
from pytest_mpgrade.records import (
    Assignment,
    Ending,
    Exploration,
    Finding,
    Run,
    Scaling,
    Step,
    Submission,
    Timing,
    as_kind,
)
from pytest_mpgrade.run.client.request import Setting
from pytest_mpgrade.session import authoring
from pytest_mpgrade.session.items import asked, is_question, start_method_of
from pytest_mpgrade.student.calls import Student
from pytest_mpgrade.student.runs import RunCache
from pytest_mpgrade.student.unmade_runs import untried_runs
from pytest_mpgrade.system.did_you_mean import nearest_or_all
from pytest_mpgrade.system.text import joined, one_line

INI = Path(__file__).parent.parent / "grade" / "grading.ini"


class TimedError(Exception):
    """A test times many calls; none of them is the one to be repeated."""


class Recorder(Student):
    """Takes the place of a test's student, and notes the plays that it asks about."""

    def __init__(self, runs: RunCache, start_method: str) -> None:
        super().__init__(runs, start_method)
        self._plays: dict[str, tuple[Step, ...]] = {}
        self._asked: dict[str, None] = {}  # keys of plays, in the order of checks
        self._only_imports = False
        self.timed = False

    def plays(self) -> tuple[tuple[Step, ...], ...]:
        """Return the plays that were asked about; where none was, all, or none for the import."""
        if self._only_imports and not self._asked:
            return ()
        return tuple(self._plays[key] for key in self._asked or self._plays)

    def play(self, *steps: Step) -> tuple[Run, ...]:
        """Note a play; the runs that it returns know nothing."""
        runs = untried_runs(self._scenario(steps), "debug", "the test is only read", None)
        self._plays.setdefault(self._scenario(steps).key, steps)
        return runs

    def rely_on(self, *steps: Step) -> tuple[Run, ...]:
        """Note a play like any other."""
        return self.play(*steps)

    def call(self, function: str, *args: object, **kwargs: object) -> Run:
        """Note a play that the test asks about itself."""
        run = super().call(function, *args, **kwargs)
        self._asked[run.key.partition("/")[0]] = None
        return run

    def prepare(self, *_: object) -> None:
        """Make nothing ahead."""

    def together(self, *_: object) -> None:
        """Share nothing."""

    def imported(self) -> Run:
        """Return a run of the import, which is part of every call."""
        return Run(
            key="import",
            call="import",
            function="import",
            start_method=self.start_method,
            ending=Ending.NOT_TRIED,
        )

    def time(self, *_: object, **__: object) -> Timing:
        """Note that the test times."""
        self.timed = True
        raise TimedError

    def scale(self, *_: object, **__: object) -> Scaling:
        """Note that the test times."""
        self.timed = True
        raise TimedError

    def explore(self, *parts: Step | Judge, share: float = 1.0) -> Exploration:  # noqa: ARG002 - as that of a student
        """Note the steps as a play that the test asks about."""
        runs = self.play(*(part for part in parts if isinstance(part, Step)))
        self._asked[runs[0].key.partition("/")[0]] = None
        return as_kind(Exploration, runs[-1])

    def check(self, run: Run, *_: object) -> list[Finding]:
        """Note which play is asked about."""
        key = run.key.partition("/")[0]
        self._only_imports |= run.function == "import"
        if key in self._plays:
            self._asked[key] = None
        return []


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question under one start method and for one variant, with the plays that it makes."""

    test: str
    title: str
    start_method: str
    plays: tuple[tuple[Step, ...], ...]
    timed: bool
    variants: int  # in which it could have been asked


class _Calls:
    """A plugin of pytest: the fixtures of tests, and the test that is meant."""

    def __init__(
        self, assignment: Assignment, submission: Submission, question: str, start_method: str
    ) -> None:
        self._assignment = assignment
        self._runs = RunCache(Setting(assignment=assignment, submission=submission))
        self._question, self._start_method = question, start_method
        self._recorder: Recorder | None = None
        self._meant: list[pytest.Item] = []
        self.error: UsageError | None = None

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Ask each question under its start methods, those that the platform has."""
        if "start_method" in metafunc.fixturenames:
            marker = metafunc.definition.get_closest_marker("start_methods")
            methods = start_methods.chosen(
                self._assignment.start_methods, marker.args if marker else ()
            )
            metafunc.parametrize(
                "start_method", [each for each in methods if start_methods.available(each)]
            )

    def pytest_exception_interact(self, node: object, call: pytest.CallInfo[object]) -> None:
        """Note why the test file could not be collected."""
        if call.excinfo is not None and isinstance(node, pytest.Collector):
            said = authoring.collect_fault(node, call.excinfo.value)
            self.error = AssignmentError(said or one_line(str(call.excinfo.value)))

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave nothing but the test that is meant, which is none of a hidden criterion."""
        hidden = {each.name for each in self._assignment.criteria if each.hidden}
        try:
            units = list(filter(is_question, items))
            shown = [item for item in units if asked(item).criterion not in hidden]
            self._meant = _meant(shown, self._question, self._start_method)
        except UsageError as error:
            self.error = error
        items[:] = self._meant[:1]

    @pytest.fixture
    def start_method(self) -> str:
        """Return the first start method, for a test that is asked under none."""
        return self._assignment.start_methods[0]

    @pytest.fixture
    def assignment(self) -> Assignment:
        """Return the assignment."""
        return self._assignment

    @pytest.fixture
    def student(self, start_method: str) -> Recorder:
        """Return what takes the place of the student."""
        self._recorder = Recorder(self._runs, start_method)
        return self._recorder

    @pytest.fixture
    def reference(self, start_method: str) -> Recorder:
        """Return what takes the place of the trusted solution; nobody reads what it notes."""
        return Recorder(self._runs, start_method)

    def found(self) -> Question:
        """Return the question; raises UsageError where there is none."""
        if self.error is not None:
            raise self.error
        if not self._meant or self._recorder is None:
            raise UsageError(f"{self._question} asks nothing of the submission")
        place = asked(self._meant[0])
        return Question(
            test=place.test,
            title=place.title,
            start_method=place.start_method or self._recorder.start_method,
            plays=self._recorder.plays(),
            timed=self._recorder.timed,
            variants=len(self._meant),
        )


def question_calls(
    assignment: Assignment, submission: Submission, question: str, start_method: str
) -> Question:
    """Return a question of an assignment, found by a test's name or id, with its calls.

    Raises UsageError, with the name that may have been meant.
    """
    calls = _Calls(assignment, submission, question, start_method)
    options = ["-q", "--no-header", "--capture=sys", "-p", "no:cacheprovider", "-p", "no:mpgrade"]
    place = str(Path(assignment.folder) / assignment.test_file)
    options += ["-c", str(INI), "--rootdir", assignment.folder, place]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        pytest.main(options, plugins=[calls])
    return calls.found()


def _meant(units: Sequence[pytest.Item], question: str, start_method: str) -> list[pytest.Item]:
    """Return the tests that a user has named; raises UsageError where there is none."""
    named = question.rpartition("::")[2]
    whole = named if "[" not in named else named[: named.rindex("]") + 1]
    fits = [
        item
        for item in units
        if item.name in (named, whole) or _function(item) == named.partition("/")[0]
    ]
    if not fits:
        known = [*dict.fromkeys(map(_function, units)), *(item.name for item in units)]
        near = nearest_or_all(named, known if "[" in named else known[: -len(units) or None])
        raise UsageError(f"there is no question {question!r}; {near}")
    chosen = [item for item in fits if start_method in ("", start_method_of(item))]
    if not chosen:
        methods = dict.fromkeys(filter(None, map(start_method_of, fits)))
        raise UsageError(f"{_function(fits[0])} is asked under {joined([*methods])}")
    return chosen


def _function(item: pytest.Item) -> str:
    return str(getattr(item, "originalname", None) or item.name.partition("[")[0])
