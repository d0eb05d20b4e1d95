"""One grading as pytest runs it.

It collects the findings of all tests, and keeps the result file true at every moment. The plugin
registers it in `pytest_configure`. Under pytest-xdist each worker has one that makes runs, and the
controller's collects what their test reports bring.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import platform
import sys
import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

import msgspec
import pytest

from pytest_mpgrade import __version__
from pytest_mpgrade.course import start_methods
from pytest_mpgrade.course.assignment import check_criteria, reference_folder
from pytest_mpgrade.errors import AssignmentError
from pytest_mpgrade.isolation import description
from pytest_mpgrade.isolation.layer import Isolation
from pytest_mpgrade.judge.points import blame, rubric
from pytest_mpgrade.judge.points.shares import Placed
from pytest_mpgrade.records import RESULT_FILE, Report
from pytest_mpgrade.report import junit_properties, redaction, result_json
from pytest_mpgrade.report.notebook import write_notebooks
from pytest_mpgrade.run.client.request import Setting
from pytest_mpgrade.session import authoring, failures, selection, setup, timelines, told
from pytest_mpgrade.session.collected import Collected
from pytest_mpgrade.session.items import (
    PLACED,
    Sent,
    asked,
    is_question,
    judge_test,
    other_start_methods,
    own_finding,
    passed,
)
from pytest_mpgrade.student.calls import Student
from pytest_mpgrade.student.notebook import StudentNotebook
from pytest_mpgrade.student.runs import RunCache
from pytest_mpgrade.submission.discover import discover
from pytest_mpgrade.system.quotas import usable_cores
from pytest_mpgrade.system.timestamps import utc_stamp

_GRADED = pytest.StashKey["Student | StudentNotebook"]()
REFUSED = 7
"""pytest's exit code where isolation is required and there is none; the result file says so."""


class GradingSession:
    """See the module's docstring."""

    def __init__(
        self,
        setting: Setting,
        out: Path | None,
        refused: str = "",
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.assignment = setting.assignment
        self.submission = setting.submission
        self._out = out
        self._hidden = {each.name for each in setting.assignment.criteria if each.hidden}
        self._setting = setting
        self._refused = refused  # why nothing is graded here
        self._runs = RunCache(setting, tell)
        self._reference: RunCache | None = None
        self._collected = Collected()
        self._sent_items = False
        self._broken = False  # the assignment itself is wrong
        self._unreadable = ""  # why its tests cannot be collected
        self._found = False  # what pytest was told to collect is there
        self._began = time.time()

    @classmethod
    def from_config(cls, config: pytest.Config, name: str) -> GradingSession:
        """Load the assignment and find the submission; wrong usage ends pytest with one line."""
        with told.ending_pytest():
            setting = setup.setting(name, config)
            typed = config.args_source is pytest.Config.ArgsSource.ARGS
            config.args[:] = selection.places(
                config.args if typed else (),
                config.invocation_params.dir,
                Path(setting.assignment.folder) / setting.assignment.test_file,
                setting.submission.module,
            )
        out = config.getoption("--mpgrade-out")
        required = config.getoption("--mpgrade-require-isolation")
        refused = description.refusal(setting.isolation) if required else ""
        return cls(
            setting, Path(out) if out else None, refused, functools.partial(told.show, config)
        )

    @property
    def covered(self) -> frozenset[str]:
        """The criteria of which a user may see nothing; who has results written may see all."""
        return frozenset(self._hidden if self._out is None else ())

    def start_methods(self, marked: Sequence[str]) -> tuple[str, ...]:
        """Return the start methods for a test that is marked with these, or with none."""
        return start_methods.chosen(self.assignment.start_methods, marked)

    def student(self, item: pytest.Item, start_method: str) -> Student:
        """Return the submission for one test."""
        self._needs(start_method)
        ahead = other_start_methods(item, start_method)
        student = item.stash[_GRADED] = Student(
            self._runs, start_method, self._trusted, ahead=ahead
        )
        return student

    def notebook(self, item: pytest.Item, start_method: str) -> StudentNotebook:
        """Return the submitted notebook for one test."""
        self._needs(start_method)
        item.stash[_GRADED] = notebook = StudentNotebook(self._runs, start_method)
        return notebook

    def _needs(self, start_method: str) -> None:
        if not start_methods.available(start_method):
            pytest.skip(f"{sys.platform} has no start method {start_method}")

    def reference(self, start_method: str) -> Student | None:
        """Return the trusted solution, if it is here."""
        trusted = self._trusted()
        return None if trusted is None else Student(trusted, start_method, self._trusted)

    def _trusted(self) -> RunCache | None:
        folder = reference_folder(self.assignment)
        if folder is None:
            return None
        if self._reference is None:
            trusted = dataclasses.replace(
                self._setting, submission=discover(folder, self.assignment), isolation=Isolation()
            )
            self._reference = RunCache(trusted)
        return self._reference

    def pytest_report_header(self) -> str:
        """Name the submission, and write a result file, which exists from now on."""
        self._write()
        line = (
            f"mpgrade: {self.assignment.name}, submission {self.submission.id}"
            f" ({self.submission.module})"
        )
        if self._runs.practice:
            line += (
                "\npractice mode: what cannot be seen here is skipped; the official grade comes"
                " from Linux"
            )
        return f"{line}\n{description.header(self._setting.isolation)}"

    def pytest_exception_interact(self, node: object, call: pytest.CallInfo[object]) -> None:
        """Note why the test file could not be collected."""
        if call.excinfo is not None and not self._unreadable:
            self._unreadable = authoring.collect_fault(node, call.excinfo.value)

    def pytest_collection_modifyitems(self) -> None:
        """Note that pytest has found each place that was typed."""
        self._found = True

    def pytest_deselected(self) -> None:
        """Note that some tests were left out, as by --lf."""
        self._collected.partial = True

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Check the test file against the assignment, and write the first result file."""
        try:
            if self._unreadable:
                raise AssignmentError(self._unreadable)
            authoring.check_tests(session.items)
            self._collected.expect([asked(item) for item in session.items if is_question(item)])
            self._collected.partial |= any("::" in place for place in session.config.args)
            if self._found and not self._collected.partial:
                check_criteria(self.assignment, self._collected.criteria())
        except AssignmentError as error:
            self._broken = True
            raise pytest.UsageError(str(error)) from None
        if self._refused:
            self._write()
            pytest.exit(f"mpgrade: {self._refused}", returncode=REFUSED)
        # Under pytest-xdist only workers know all tests: the first of them writes the file of the
        # first moment.
        self._write(first=True)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Turn the findings of a test into its outcome, and send them along with the report."""
        report = yield
        graded = item.stash.get(_GRADED, None)
        if not is_question(item) or call.when == "teardown":
            return report
        if call.when == "setup" and report.passed:
            return report
        findings = list(graded.findings) if graded else []
        findings += own_finding(item, call, report)
        if not findings:
            findings = [passed(item)]
        place = asked(item)
        settled = blame.attribute([(place.start_method, finding) for finding in findings])
        # Users who have result files written may read hidden checks too.
        judge_test(report, settled, hidden=place.criterion in self.covered)
        sent = Sent(
            test=place.test,
            place=self._collected.order.get(place.test, 0),
            items=[] if self._sent_items else self._collected.items,
            total=self._collected.total,
            partial=self._collected.partial,
            placed=[Placed(asked=place, finding=finding) for finding in findings],
            not_imported=graded.why_not_imported() if graded else "",
            timelines=timelines.timelines_of(graded, findings, alone=not place.start_method),
        )
        self._sent_items = True
        setattr(report, PLACED, msgspec.to_builtins(sent))
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in the findings of a test, here or from a worker of pytest-xdist."""
        sent: object = getattr(report, PLACED, None)
        if sent is None:
            return
        self._collected.take_in(msgspec.convert(sent, type=Sent))
        self._write()

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """End what still runs, and write the final result."""
        for runs in (self._runs, self._reference):
            if runs is not None:
                runs.close()
        if not hasattr(session.config, "workerinput"):
            self._write(last=True)
        if self._out is not None:
            write_notebooks(self._runs.executed(), self._out)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Explain each cause of failures once, and show the rubric."""
        if self._collected.placed:
            terminalreporter.ensure_newline()
            result = result_json.as_result(self.report())
            shown, _ = redaction.redacted(result, self.assignment.criteria)
            failures.summarize(terminalreporter, shown)

    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """Add to pytest's own JUnit file what only the whole grading knows.

        pytest has written that file by now.
        """
        file = config.getoption("xmlpath", None)
        if file and self._collected.placed and not hasattr(config, "workerinput"):
            junit_properties.add(str(file), self.report(), self.covered)

    def report(self) -> Report:
        """Return what is known so far."""
        placed = self._collected.settled()
        score = rubric.score(self.assignment.criteria, placed, self.assignment.round)
        status, reason = self._collected.status(placed, score, self._refused)
        observers = self._observers()
        return Report(
            assignment=self.assignment.name,
            submission=self.submission,
            status=status,
            reason=reason,
            score=score,
            entries=tuple(one.entry() for one in placed),
            timelines=timelines.named(placed, self._collected.timelines),
            containment=description.as_json(self._setting.isolation, observers[-1]),
            environment={
                "python": platform.python_version(),
                "platform": sys.platform,
                "cpus": usable_cores(),
                "mpgrade": __version__,
                "observer": observers,
            },
            started=utc_stamp(self._began),
            seconds=round(time.time() - self._began, 2),
        )

    def _observers(self) -> list[str]:
        """Return how processes were observed so far.

        There is more than one way where the machine changed what it permits.
        """
        observers = {run.trace.observer for run in self._runs.done() if run.trace.observer}
        return sorted(observers, key=("ptrace", "proc", "psutil").index) or [self._setting.observer]

    def _write(self, *, first: bool = False, last: bool = False) -> None:
        writes = os.environ.get("PYTEST_XDIST_WORKER", "") in (("", "gw0") if first else ("",))
        if self._out is not None and writes and not self._broken:
            with told.ending_pytest():
                result = (result_json.as_result if last else result_json.as_interim)(self.report())
                result_json.write_result(result, self._out / RESULT_FILE)
