"""What to fix first: which failures are one cause, in which order, and what hangs on each."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest

from pytest_mpgrade.judge.points import rubric
from pytest_mpgrade.judge.points.shares import Placed
from pytest_mpgrade.records import Concern, Criterion, Outcome, Status
from pytest_mpgrade.report.exports import FORMATS
from pytest_mpgrade.report.redaction import redacted
from pytest_mpgrade.report.result_json import CausePart, as_result
from support import results
from support.results import METHODS

CRITERIA = (
    Criterion(name="results", points=6),
    Criterion(name="shutdown", points=4),
    Criterion(name="edge", points=2),
)


def failures(test: str, criterion: str, **more: Any) -> list[Placed]:
    """Return what a check has found under each start method."""
    return [
        each
        for method in METHODS
        for each in results.placed(
            f"t.py::{test}[{method}]",
            results.finding(**{"call": f"f() under {method}", **more}),
            criterion=criterion,
        )
    ]


def causes(*found: list[Placed]) -> tuple[CausePart, ...]:
    """Return the causes of these findings."""
    return results.result([each for some in found for each in some], CRITERIA).causes


def test_one_advice_is_one_cause() -> None:
    """Tests, start methods and numbers differ; what to change is the same."""
    (cause,) = causes(
        failures("test_a", "shutdown", concern=Concern.CLEANUP, message="1 of 3 was not joined"),
        failures("test_b", "shutdown", concern=Concern.CLEANUP, message="2 of 5 were not joined"),
        failures("test_c", "results", outcome=Outcome.PASSED),
    )
    assert (cause.concern, cause.change, cause.seen) == (
        Concern.CLEANUP,
        "h",
        "1 of 3 was not joined",
    )
    assert cause.questions == ("t.py::test_a", "t.py::test_b")
    assert cause.start_methods == METHODS
    assert len(cause.checks) == 6


def test_without_advice_the_message_counts() -> None:
    """Messages that differ in numbers and calls only are one cause; a bare check joins the cause
    that it has shown elsewhere.
    """
    first, second = causes(
        failures("test_a", "results", hint="", message="f() gave 3", check="one"),
        failures("test_b", "results", hint="", message="f() gave 4", check="two"),
        failures("test_c", "edge", check="three", concern=Concern.EDGE),
        failures("test_d", "edge", check="three", concern=Concern.EDGE, hint="", message="other"),
    )
    assert first.questions == ("t.py::test_a", "t.py::test_b")
    assert second.questions == ("t.py::test_c", "t.py::test_d")


def test_same_call_under_another_start_method() -> None:
    """A race shows itself in another way under each start method, and is one cause."""
    found = [
        each
        for method in METHODS
        for each in results.placed(
            f"t.py::test_a[{method}]", results.finding(hint=f"hint for {method}"), criterion="edge"
        )
    ]
    (cause,) = causes(found)
    assert cause.change == "hint for fork"
    assert cause.start_methods == METHODS


def test_most_basic_comes_first() -> None:
    """Results come before clean-up, special cases after all; a second cause of a concern comes
    after the first ones.
    """
    found = causes(
        failures("test_a", "edge", concern=Concern.EDGE, hint="a"),
        failures("test_b", "shutdown", concern=Concern.CLEANUP, hint="b"),
        failures("test_c", "shutdown", concern=Concern.CLEANUP, hint="c"),
        failures("test_d", "shutdown", concern=Concern.CLEANUP, hint="b"),
        failures("test_e", "results", hint="e"),
    )
    assert [cause.change for cause in found] == ["e", "b", "a", "c"]


def test_points_hang_on_it() -> None:
    """What it fails itself counts, and what its check has left undecided."""
    found = causes(
        failures("test_a", "results", check="values"),
        failures("test_b", "results", outcome=Outcome.PASSED),
        failures("test_c", "edge", outcome=Outcome.SKIPPED, undecided_by="values"),
        failures("test_d", "shutdown", outcome=Outcome.PASSED),
    )
    assert [cause.points for cause in found] == [5.0]


def test_all_points_hang_on_what_keeps_all_from_being_tried() -> None:
    """A submission that cannot be graded has one cause, worth everything."""
    found = list(results.placed("submission/can_be_graded", results.finding(), criterion=""))
    report = results.report(found, CRITERIA, status=Status.UNGRADABLE, reason="no module")
    (cause,) = as_result(replace(report, score=rubric.ungraded(CRITERIA))).causes
    assert cause.points == 12


def test_own_line_is_that_of_the_first_check_that_has_one() -> None:
    """A cause says where, if any of its checks knows."""
    place = {"file": "a.py", "line": 3, "code": "p.start()"}
    (cause,) = causes(
        failures("test_a", "results"), failures("test_b", "results", evidence={"source": place})
    )
    assert cause.source == place


def test_nothing_of_hidden_checks() -> None:
    """What students get is found in what they may see."""
    secret = (*CRITERIA, Criterion(name="secret", points=3, hidden=True))
    found = [
        *failures("test_a", "results", hint="told"),
        *failures("test_b", "secret", hint="secret"),
        *failures("test_c", "secret", hint="told"),
    ]
    whole = results.result(found, secret)
    shown, _ = redacted(whole, secret)
    assert {cause.change for cause in whole.causes} == {"told", "secret"}
    (cause,) = shown.causes
    assert (cause.change, cause.questions) == ("told", ("t.py::test_a",))


TOLD: dict[str, Callable[[str], str]] = {
    "gradescope": lambda text: json.loads(text)["output"],
    "prairielearn": lambda text: json.loads(text)["output"],
    "autolab": lambda text: text.partition("\nresults: ")[0],
    "classroom50": lambda text: " ".join(
        json.loads(text)["tests"][0][key] for key in ("test-name", "message")
    ),
    "junit": lambda text: ElementTree.fromstring(text)[0].findtext("system-out") or "",
}
"""Where a person reads texts of these exports before the rest."""


@pytest.mark.parametrize("name", TOLD)
def test_exports_say_it_before_the_rest(name: str) -> None:
    """What a person reads begins with the causes, in their order, and says nothing of them where
    there are none.
    """
    found = [
        *failures("test_a", "edge", concern=Concern.EDGE, hint="mind the <empty> list"),
        *failures("test_b", "results", hint="return the values"),
    ]
    _, render = FORMATS[name]
    said = " ".join(TOLD[name](render(results.result(found, CRITERIA), CRITERIA)).split())
    assert "Fix this first 1. return the values" in said
    assert said.index("return the values") < said.index("mind the <empty> list")
    right = results.result(failures("test_a", "edge", outcome=Outcome.PASSED), CRITERIA)
    assert "Fix this first" not in render(right, CRITERIA)
