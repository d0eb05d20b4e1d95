"""Tells whoever has started this pytest how far its grading is; see `live_events`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from pytest_mpgrade.errors import AssignmentError
from pytest_mpgrade.judge.tracebacks import by_call
from pytest_mpgrade.records import Asked, Ending, Outcome, Run
from pytest_mpgrade.report.redaction import HIDDEN
from pytest_mpgrade.report.terminal.while_it_works import where_text
from pytest_mpgrade.run.client import supervisor_pool
from pytest_mpgrade.session.estimate import Ahead, ahead
from pytest_mpgrade.session.items import PLACED, Sent, asked, is_question
from pytest_mpgrade.session.live_events import (
    Began,
    Interrupted,
    LiveEvent,
    PlainEnded,
    QuestionEnded,
    TriesPlain,
    append,
)
from pytest_mpgrade.student.calls import Student
from pytest_mpgrade.system.text import one_line

_VERDICTS = (
    Outcome.FAILED,
    Outcome.ERROR,
    Outcome.INCONCLUSIVE,
    Outcome.PASSED,
    Outcome.ABSENT,
    Outcome.SKIPPED,
)
"""The order by which a question gets its verdict from its checks: the first that occurs."""


class TimeAhead:
    """Says once, before the tests, how many questions there are and how long they may take."""

    def pytest_report_collectionfinish(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> str:
        """Return the line that pytest shows after it has collected."""
        if config.option.collectonly:
            return ""
        try:
            found = ahead(items)
        except AssignmentError:  # the session says what is wrong with the test file
            return ""
        return f"mpgrade: {found.words}" if found.questions else ""


class InterruptedRuns:
    """Says at the end of a session that was interrupted where its runs were."""

    def __init__(self) -> None:
        self._interrupted = False

    def pytest_keyboard_interrupt(self) -> None:
        """Note that somebody has pressed Ctrl-C."""
        self._interrupted = True

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show where the processes were."""
        text = where_text(supervisor_pool.broken_off()) if self._interrupted else ""
        if text:
            terminalreporter.write_line(text)


class LiveProgress:
    """Appends an event to a file whenever a question has its verdict."""

    def __init__(self, path: Path, hidden: frozenset[str]) -> None:
        self._append: Callable[[LiveEvent], None] = lambda event: append(event, path)
        self._hidden = hidden
        self._open: dict[str, list[Asked]] = {}  # question -> its tests that have not ended
        self._ended: dict[str, list[tuple[str, Outcome]]] = {}
        self._tried = self._told = False

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Say what is ahead."""
        found: Ahead = ahead(session.items)
        for item in filter(is_question, session.items):
            each = asked(item)
            self._open.setdefault(each.question, []).append(each)
        self._append(Began(questions=found.questions, seconds=found.seconds))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self) -> None:
        """Say that the first call is made; the fixtures of a test file make the plainest one."""
        if not self._tried:
            self._tried = True
            self._append(TriesPlain())

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        """Say how the plainest call has ended, which a fixture has made."""
        student = getattr(item, "funcargs", {}).get("student")
        if self._told or not isinstance(student, Student) or not student.relied_on:
            return
        self._told = True
        runs = student.relied_on
        run = next((each for each in runs if each.ending is not Ending.RETURNED), runs[-1])
        self._append(
            PlainEnded(
                call=run.call,
                start_method=run.start_method,
                ending=run.ending,
                seconds=run.seconds,
                why=_why(run),
            )
        )

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note the verdict of a test; say that of its question when it was the last one."""
        told: object = getattr(report, PLACED, None)
        if told is None:
            return
        sent = msgspec.convert(told, type=Sent)
        for placed in sent.placed:
            place = placed.asked
            rest = self._open.get(place.question, [])
            self._open[place.question] = [each for each in rest if each.test != place.test]
            self._ended.setdefault(place.question, []).append(
                (place.start_method, placed.finding.outcome)
            )
        for question in {placed.asked.question: placed.asked for placed in sent.placed}.values():
            if not self._open[question.question]:
                self._append(self._verdict(question))

    def _verdict(self, question: Asked) -> QuestionEnded:
        found = self._ended[question.question]
        outcome = next(each for each in _VERDICTS if any(each is one for _, one in found))
        hidden = question.criterion in self._hidden
        return QuestionEnded(
            criterion="" if hidden else question.criterion,
            title=HIDDEN if hidden else question.title,
            outcome=outcome,
            start_methods=tuple(
                dict.fromkeys(method for method, each in found if method and each is outcome)
            ),
        )

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Say where the runs were that the end of the grading has broken off."""
        for each in supervisor_pool.broken_off():
            self._append(Interrupted(broken_off=each))


def _why(run: Run) -> str:
    """Say in a few words why the plainest call did not return."""
    error = by_call(run) if run.ending is Ending.RAISED else None
    return one_line(error.words if error else run.why)
