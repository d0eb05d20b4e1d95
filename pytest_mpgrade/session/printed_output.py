"""What the submission has printed, where users of pytest look for it.

With ``-s`` it is shown when the test that asks for it ends, each call's once. In any case it is a
section ``Captured stdout`` of each test that judges the call, which ``-rP`` shows of tests that
have passed. Control sequences in it are escaped: no submission can repaint a screen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import pytest

from pytest_mpgrade.records import Notebook, Run
from pytest_mpgrade.session import told
from pytest_mpgrade.session.items import asked, is_question
from pytest_mpgrade.student.calls import Student
from pytest_mpgrade.student.notebook import StudentNotebook
from pytest_mpgrade.system.text import clean


class PrintedOutput:
    """A plugin of pytest; see the module's docstring. Nothing is shown of *hidden* criteria."""

    def __init__(self, hidden: frozenset[str]) -> None:
        self._hidden = hidden
        self._shown: set[str] = set()  # keys of runs whose output the user has seen

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """Add to a test what the calls that it has judged have printed."""
        if call.when != "call" or not is_question(item) or asked(item).criterion in self._hidden:
            return
        runs = _judged(getattr(item, "funcargs", {}))
        for key, text in (("stdout", _of(runs.values())), ("stderr", _errors_of(runs.values()))):
            if text:
                item.add_report_section("call", key, text)
        if item.config.getoption("capture") == "no":
            new = [run for run in runs.values() if run.key not in self._shown]
            self._shown |= {run.key for run in new}
            if text := _of(new) + _errors_of(new):
                told.show_text(item.config, text)


def _judged(values: Mapping[str, object]) -> Mapping[str, Run]:
    """Return the runs that a test has asked about, by their keys."""
    graded = next(
        (each for each in values.values() if isinstance(each, (Student, StudentNotebook))), None
    )
    return {} if graded is None else graded.judged


def _of(runs: Iterable[Run]) -> str:
    """Return what each of these runs has printed, below a line that says whose it is."""
    return "".join(
        f"{whose} printed:\n{_ended(clean(text))}" for whose, text in _parts(runs) if text.strip()
    )


def _parts(runs: Iterable[Run]) -> Iterator[tuple[str, str]]:
    for run in runs:
        yield run.at, run.printed
        for cell in run.cells if isinstance(run, Notebook) else ():
            yield f"{cell.name} of {run.at}", cell.printed


def _errors_of(runs: Iterable[Run]) -> str:
    """Return what the processes of these runs have written to standard error, each text once."""
    by_text = {run.stderr: run for run in runs if run.stderr.strip()}
    return "".join(
        f"the process of {run.at} wrote to stderr:\n{_ended(clean(text))}"
        for text, run in by_text.items()
    )


def _ended(text: str) -> str:
    return text if text.endswith("\n") else f"{text}\n"
