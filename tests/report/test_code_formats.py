"""SARIF and CTRF: what a check says stands at the student's own line, where editors and CI show
it.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from pytest_mpgrade.records import Concern, Criterion, Outcome, Status
from pytest_mpgrade.report.exports import FORMATS
from pytest_mpgrade.report.redaction import redacted
from pytest_mpgrade.report.result_json import ResultFile
from support.export_formats import READ, check_part, result_of
from support.results import ALL, METHODS, ungraded

PLACE = {"file": "cv_funcs.py", "line": 41, "code": "p.join()"}
SHUTDOWN: dict[str, Any] = {
    "check": "no_leftovers",
    "title": "no zombie is left",
    "concern": Concern.CLEANUP,
    "message": "2 workers were zombies",
    "hint": "join() every Process",
}


def failed_everywhere(**more: Any) -> ResultFile:
    """Return a result in which one check has failed under each start method."""
    given = SHUTDOWN | {"evidence": {"source": PLACE, "workers": [{"pid": 7}]}} | more
    return result_of(*(check_part(f"t.py::test_x[{method}]", **given) for method in METHODS))


def handed_in(result: ResultFile, path: str) -> ResultFile:
    """Return a result of another path."""
    part = dataclasses.replace(result.submission, path=path, module="cv_funcs.py")
    return dataclasses.replace(result, submission=part)


def run_of(result: ResultFile) -> Any:
    """Return the only run of a SARIF log, held against its schema."""
    text = FORMATS["sarif"][1](result, ALL)
    READ["sarif"](text)
    return json.loads(text)["runs"][0]


def reported(result: ResultFile) -> Any:
    """Return the tests of a CTRF report, held against its schema."""
    text = FORMATS["ctrf"][1](result, ALL)
    READ["ctrf"](text)
    return json.loads(text)["results"]["tests"]


def test_sarif_says_once_what_several_calls_show() -> None:
    """One line, one check and one advice are one result, with its rule, its region and the start
    methods.
    """
    run = run_of(handed_in(failed_everywhere(), "hw3"))
    (rule,), (found,) = run["tool"]["driver"]["rules"], run["results"]
    assert (rule["id"], rule["properties"]["tags"]) == ("no_leftovers", ["cleanup"])
    assert found["message"]["text"] == (
        "2 workers were zombies (under fork, spawn and forkserver)\nhint: join() every Process"
    )
    (where,) = found["locations"]
    assert where["physicalLocation"] == {
        "artifactLocation": {"uri": "hw3/cv_funcs.py"},
        "region": {"startLine": 41, "snippet": {"text": "p.join()"}},
    }
    assert len(found["properties"]["checks"]) == 3


@pytest.mark.parametrize(
    ("path", "address"),
    [
        (".", "cv_funcs.py"),
        ("my hw/ü", "my%20hw/%C3%BC/cv_funcs.py"),
        ("hw3/cv_funcs.py", "hw3/cv_funcs.py"),
        ("/home/ada/hw3", "cv_funcs.py"),
        ("../hw3", "cv_funcs.py"),
    ],
)
def test_sarif_addresses_are_relative(path: str, address: str) -> None:
    """An address is relative to the folder in which mpgrade was called, or a name alone."""
    (found,) = run_of(handed_in(failed_everywhere(), path))["results"]
    assert found["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == address


def test_sarif_without_a_line_is_about_the_module() -> None:
    """What names no line stands at the beginning of the module, since GitHub shows nothing without
    a place.
    """
    (found,) = run_of(handed_in(failed_everywhere(evidence={}), "hw3"))["results"]
    place = found["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]) == (
        "hw3/cv_funcs.py",
        {"startLine": 1},
    )


def test_sarif_links_of_a_submission_are_none() -> None:
    """A message that looks like a link of SARIF leads nowhere."""
    (found,) = run_of(failed_everywhere(message="[click](https://evil.example)"))["results"]
    assert "](" not in found["message"]["text"]


def test_sarif_notifies_of_what_is_not_decided() -> None:
    """Why there is no grade, and what nobody could decide, is no result, and is told."""
    unsure = run_of(result_of(check_part(outcome=Outcome.INCONCLUSIVE, message="too busy")))
    told = unsure["invocations"][0]["toolExecutionNotifications"]
    assert (told, unsure["results"]) == (
        [{"level": "warning", "message": {"text": "inconclusive: too busy"}}],
        [],
    )
    broken = run_of(ungraded(status=Status.ERROR, reason="killed"))["invocations"][0]
    assert broken["executionSuccessful"] is False
    assert broken["toolExecutionNotifications"][0]["message"]["text"] == "killed"


def test_ctrf_has_a_test_for_each_unit() -> None:
    """Each start method has its test, which opens the student's own line."""
    tests = reported(handed_in(failed_everywhere(), "hw3"))
    assert [test["name"] for test in tests] == [f"test_x[{method}]" for method in METHODS]
    first = tests[0]
    assert (first["status"], first["filePath"], first["line"], first["snippet"]) == (
        "failed",
        "hw3/cv_funcs.py",
        41,
        "p.join()",
    )
    assert first["message"] == "2 workers were zombies\nhint: join() every Process"
    assert first["trace"].splitlines() == ["cv_funcs.py:41   p.join()", "pid 7"]
    assert first["extra"]["start_method"] == "fork"


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Outcome.PASSED, "passed"),
        (Outcome.FAILED, "failed"),
        (Outcome.ABSENT, "skipped"),
        (Outcome.SKIPPED, "skipped"),
        (Outcome.INCONCLUSIVE, "other"),
        (Outcome.ERROR, "other"),
        (Outcome.NOT_RUN, "pending"),
    ],
)
def test_ctrf_knows_every_outcome(outcome: Outcome, status: str) -> None:
    """Each outcome has its status, and its own word beside it; what passed has no message."""
    (test,) = reported(result_of(check_part(outcome=outcome, message="m")))
    assert (test["status"], test["rawStatus"]) == (status, str(outcome))
    assert ("message" in test) is (outcome is not Outcome.PASSED)


@pytest.mark.parametrize("name", ["sarif", "ctrf"])
def test_hidden_checks_have_no_line(name: str) -> None:
    """Of a hidden check neither the line, nor its code, nor its call is told."""
    criteria = (Criterion(name="all", points=1.0, hidden=True),)
    shown = redacted(handed_in(failed_everywhere(call="f(12345)"), "hw3"), criteria)
    text = FORMATS[name][1](*shown)
    assert READ[name](text) == (0.0, True)
    assert "a hidden check" in text
    for secret in ("41", "p.join", "12345", "no_leftovers", "zombie", "cleanup"):
        assert secret not in text
