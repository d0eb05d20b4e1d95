"""The end of pytest's output for a grading: each cause of failures once, in place of each test.

pytest shows a traceback for each failing test, and one fault fails dozens of them. Tests that have
nothing to do with the submission are left to pytest.
"""

from __future__ import annotations

import copy
from collections.abc import Generator, Iterator, Sequence

import pytest

from pytest_mpgrade.report import terminal
from pytest_mpgrade.report.result_json import ResultFile
from pytest_mpgrade.report.terminal.timelines import timelines_text
from pytest_mpgrade.session.items import is_graded
from pytest_mpgrade.system.text import counted

_WIDEST = 120
"""Columns of an explanation, at most: longer lines are hard to read."""
_FAILED = "failed"
_GRADED = "mpgrade: failed"
"""The key under which pytest's statistics keep graded failures meanwhile; pytest knows no such key.
"""


class FailureSummary:
    """Takes the failures of graded tests out of pytest's section of tracebacks."""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> Generator[None, None, None]:
        """Hide them while pytest prints its sections, and put them back at the end."""
        stats = terminalreporter.stats
        every = stats.get(_FAILED, [])
        graded = [report for report in every if is_graded(report)]
        if not graded:
            return (yield)
        stats[_GRADED] = graded
        stats[_FAILED] = [report for report in every if not is_graded(report)]
        try:
            return (yield)
        finally:
            stats[_FAILED] = every
            del stats[_GRADED]


def summarize(terminalreporter: pytest.TerminalReporter, result: ResultFile) -> None:
    """Explain the failures of a grading, and show its rubric.

    With -v pytest's list of failed tests then names one of each question. It can be run again.
    """
    width = min(terminalreporter._tw.fullwidth, _WIDEST)
    text = terminal.explanations(result, width)
    if text and terminalreporter.config.option.tbstyle != "no":
        terminalreporter.write_sep("=", "FAILURES")
        terminalreporter.write_line(f"{text}\n")
    if terminalreporter.config.getoption("--mpgrade-timeline"):
        drawn = timelines_text(result, width)
        terminalreporter.write_line(f"{drawn}\n" if drawn else "")
    # The session's header has said whose they are.
    terminalreporter.write_line(terminal.rubric(result, width, headed=False))
    failed = list(_once_a_question(terminalreporter.stats.get(_GRADED, [])))
    if failed and terminalreporter.verbosity > 0:
        terminalreporter.stats[_FAILED] = [*terminalreporter.stats.get(_FAILED, []), *failed]


def _once_a_question(reports: Sequence[pytest.TestReport]) -> Iterator[pytest.TestReport]:
    questions: dict[str, list[pytest.TestReport]] = {}
    for report in reports:
        questions.setdefault(report.nodeid.partition("[")[0], []).append(report)
    for same in questions.values():
        first = copy.copy(same[0])
        others = f"and {counted(len(same) - 1, 'other')} of this question"
        first.longrepr = others if len(same) > 1 else str(first.longrepr).partition("\n")[0]
        yield first
