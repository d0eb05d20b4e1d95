"""The decorator `check`: what a course author writes, and what comes of it."""

from __future__ import annotations

import inspect

import pytest

from pytest_mpgrade import checks
from pytest_mpgrade.judge.check import judge_safely
from pytest_mpgrade.judge.definition import Text
from pytest_mpgrade.judge.examples.notebooks import cell, executed
from pytest_mpgrade.judge.examples.runs import MIXED, worked
from pytest_mpgrade.records import Concern, Ending, Notebook, Outcome, Run

RUN = worked(MIXED)


@checks.check(
    title="at most {n} tasks are run{words}",
    concern=Concern.WORKERS,
    hint=lambda n: "run none" if n == 0 else f"run {n} of them",
)
def at_most(run: Run, n: int = 3, *, words: str = "") -> checks.Verdict:
    """No more than *n* tasks are run."""
    ran = len(run.trace.events)
    return (
        checks.PASSED
        if ran <= n
        else checks.failed(f"{ran} tasks were run; {n} were asked for{words}", symptom="n")
    )


@checks.check(title="has cells", concern=Concern.NOTEBOOK, judges=Notebook)
def has_cells(run: Notebook) -> checks.Verdict:
    """The notebook has a cell."""
    return checks.PASSED if run.cells else checks.failed("no cell")


@checks.check(title="returned")
def returned(run: Run, concern: Concern = Concern.EDGE) -> checks.Verdict:
    """The call returned."""
    return (
        checks.PASSED
        if run.ending is Ending.RETURNED
        else checks.fault(concern, "it did not return")
    )


def test_check_of_a_course_author() -> None:
    """A decorated function judges runs, with its parameters in its title, its hint and its
    message.
    """
    finding = at_most(2, words="!")(RUN)
    assert (finding.check, finding.title, finding.concern) == (
        "at_most",
        "at most 2 tasks are run!",
        Concern.WORKERS,
    )
    assert (finding.outcome, finding.hint) == (Outcome.FAILED, "run 2 of them")
    assert finding.message == f"{len(MIXED.keys)} tasks were run; 2 were asked for!"
    assert at_most(n=len(MIXED.keys))(RUN).outcome is Outcome.PASSED
    assert at_most(0).hint == "run none"


def test_check_answers_for_runs_that_teach_nothing() -> None:
    """An author's check is not asked about a run that the grader has broken."""
    broken = worked(MIXED, ending=Ending.BROKEN, why="no memory")
    assert judge_safely(at_most(0), broken).outcome is Outcome.ERROR


def test_parameter_called_concern_is_the_check_s() -> None:
    """A check that is told its concern belongs to that, and else to the parameter's default."""
    assert returned().concern is Concern.EDGE
    assert returned(Concern.DEADLOCK).concern is Concern.DEADLOCK
    assert has_cells().concern is Concern.NOTEBOOK


def test_help_shows_the_parameters_without_the_run() -> None:
    """The signature is that of the call in a test, and the docstring is the author's."""
    assert str(inspect.signature(at_most)) == "(n: 'int' = 3, *, words: 'str' = '') -> 'Check'"
    assert at_most.__doc__ == "No more than *n* tasks are run."


def test_wrong_parameters_name_the_check() -> None:
    """A parameter too many, too few, or of another name is an error where the test makes the
    check.
    """
    with pytest.raises(TypeError, match=r"workers\(\): missing a required argument: 'n'"):
        checks.workers()  # type: ignore[call-arg]  # - what is tested
    with pytest.raises(TypeError, match=r"met\(\): too many positional arguments"):
        checks.met(RUN)  # type: ignore[call-arg]  # - what is tested
    with pytest.raises(TypeError, match=r"at_most\(\): got an unexpected keyword argument 'm'"):
        at_most(m=3)  # type: ignore[call-arg]  # - what is tested


def test_type_checkers_know_the_parameters() -> None:
    """A parameter of another type is an error of mypy, which else has a comment to complain of."""
    assert checks.workers(n="3").title.startswith("exactly 3 ")  # type: ignore[arg-type]  # - what is tested


@pytest.mark.parametrize("text", ["at most {m}", lambda m: f"at most {m}"])
def test_text_that_names_no_parameter(text: Text) -> None:
    """A title or a hint with a misspelt parameter is an error where the check is written."""

    def judge(run: Run, n: int) -> checks.Verdict:
        return checks.failed(f"{run.call}: {n}")

    for wrong in (checks.check(title=text), checks.check(title="x", hint=text)):
        with pytest.raises(TypeError, match=r"judge\(\): its title or hint names 'm'"):
            wrong(judge)


def test_check_is_for_one_kind_of_run() -> None:
    """A check of notebooks that is given a call says what it is for."""
    assert has_cells()(executed(cell(1))).outcome is Outcome.PASSED
    with pytest.raises(TypeError, match=r"for what notebook.run\(\) returns, not for Run"):
        has_cells()(RUN)
