"""The object that a test of a notebook holds.

A test executes the notebook by it, looks at its cells and variables, and checks its runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytest_mpgrade.course import start_methods
from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.judge.check import Judge, judge_safely
from pytest_mpgrade.records import (
    Assignment,
    Cell,
    Ending,
    Finding,
    Notebook,
    NotebookDocument,
    Run,
    python_value,
)
from pytest_mpgrade.student.runs import RunCache
from pytest_mpgrade.submission import notebooks


class NotInNotebookError(LookupError, AssertionError):
    """A test asks for something that is not in the submitted notebook.

    The submission is at fault, as it is where a test's assert fails.
    """


class StudentNotebook:
    """The submitted notebook, as one test under one start method sees it."""

    def __init__(self, runs: RunCache, start_method: str) -> None:
        self._runs = runs
        self.start_method = start_method
        self.findings: list[Finding] = []
        self.judged: dict[str, Run] = {}  # that the test has asked about, by key

    @property
    def assignment(self) -> Assignment:
        """The assignment that is graded."""
        return self._runs.setting.assignment

    def run(self, *, again: bool = False) -> Notebook:
        """Execute the notebook from a fresh kernel, or return what that gave before.

        With *again* it is executed once more.
        """
        return self._runs.execute(*self._what(self.start_method), again=again)

    def prepare(self) -> None:
        """Have the notebook executed in the background, under each of the start methods."""
        for method in filter(start_methods.available, self.assignment.start_methods):
            self._runs.prepare_execution(*self._what(method))

    def _what(self, start_method: str) -> tuple[NotebookDocument, str, list[str]]:
        submission = self._runs.setting.submission
        document = notebooks.document(
            Path(submission.folder) / submission.module, submission.module
        )
        return (
            document,
            start_method,
            [name for name in submission.imports if name == "multiprocess"],
        )

    def value(self, name: str) -> Any:
        """Return a variable of the notebook at its end, as `plain_values.python_value` makes it.

        Raises LookupError where there is no such variable, UsageError for one that the assignment
        does not list.
        """
        rules = self.assignment.notebook
        if rules is None or name not in rules.variables:
            raise UsageError(
                f"the variable {name} is not read: list it in [notebook] variables of"
                " assignment.toml"
            )
        values = self.run().values
        if name not in values:
            raise self._missing(f"variable {name} at its end")
        return python_value(values[name])

    def cell(self, tag: str) -> Cell:
        """Return the first code cell that has a tag, as it was executed.

        Raises LookupError where there is none.
        """
        found = next((cell for cell in self.run().cells if tag in cell.tags), None)
        if found is None:
            raise self._missing(f"code cell that is tagged {tag}")
        return found

    def _missing(self, what: str) -> LookupError:
        broken = self.run().ending is Ending.BROKEN  # then the grader knows nothing of the notebook
        return (LookupError if broken else NotInNotebookError)(f"the notebook has no {what}")

    def check(self, run: Notebook, *checks: Judge) -> list[Finding]:
        """Judge what `run` has returned; the test fails at its end if a check has failed."""
        findings = [judge_safely(check, run) for check in checks]
        self.findings += findings
        self.judged[run.key] = run
        return findings

    def why_not_imported(self) -> str:
        """Return why nothing could be tried: a notebook that can be read can be executed."""
        return ""
