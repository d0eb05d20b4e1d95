"""The page of a student: what it says, and that nothing in it runs, loads, or tells what is
hidden.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from pytest_mpgrade.records import Concern, Criterion, Outcome, Status, Submission
from pytest_mpgrade.report import adjustments
from pytest_mpgrade.report.adjustments import Override
from pytest_mpgrade.report.pages.student import student_page
from pytest_mpgrade.report.redaction import redacted
from pytest_mpgrade.report.result_json import LatePart, ResultFile
from support.export_formats import check_part
from support.results import result, ungraded

CRITERIA = (
    Criterion(name="results", title="Right <results>", points=2),
    Criterion(name="shutdown", title="Clean end", points=1),
)
EVIL = "</pre><script src=//evil.example>x()</script><img src=x onerror=x()>\"' {{ 7*7 }} {% if %}"


class Read(HTMLParser):
    """Reads a page: its elements, their attributes, and its words."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.said = ""
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep an element; those without content have no end."""
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Hold the end of an element against its beginning."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep the words, but for those of the style."""
        self.said += "" if self.open[-1:] == ["style"] else f"{data} "

    @property
    def words(self) -> str:
        """All words of the page, with single blanks."""
        return " ".join(self.said.split())


def page_of(shown: ResultFile, criteria: tuple[Criterion, ...] = CRITERIA) -> Read:
    """Return a page as it is read; every element of it has an end."""
    read = Read(student_page(shown, criteria))
    assert read.open == []
    return read


def some_failures(**more: Any) -> ResultFile:
    """Return a result with two causes, the more basic one found last."""
    return result(
        [
            check_part(
                "t.py::test_b[fork]",
                "shutdown",
                concern=Concern.CLEANUP,
                hint="join() them",
                message="2 were zombies",
                evidence={
                    "workers": [{"pid": 4121, "state": "zombie"}],
                    "source": {"file": "a.py", "line": 3, "code": "p.start()"},
                },
            ),
            check_part("t.py::test_a[fork]", "results", hint="return them", message="none came"),
            check_part("t.py::test_c[fork]", "results", Outcome.PASSED),
        ],
        CRITERIA,
        **more,
    )


def test_page_says_what_to_fix_with_its_evidence_and_the_points() -> None:
    """The most basic cause comes first, each has its line and evidence, and the rubric its
    points.
    """
    words = page_of(some_failures()).words
    assert "1 of 3 points" in words
    assert words.index("return them") < words.index("join() them")
    assert "a.py:3 p.start()" in words
    assert "pid 4121 zombie" in words
    assert re.search("Right <results> .{,9}1 of 2", words)
    assert re.search("Clean end .{,9}0 of 1", words)


def test_page_of_a_right_solution() -> None:
    """Full marks say that nothing is left to fix."""
    words = page_of(result([check_part(outcome=Outcome.PASSED, criterion="results")], CRITERIA[:1]))
    assert "Nothing is left to fix." in words.words
    assert "Fix this first" not in words.words


def test_page_of_what_has_no_grade() -> None:
    """A submission that cannot be graded has its reason, and no points at the top."""
    words = page_of(ungraded(CRITERIA, reason="there is no a.py")).words
    assert "Not graded there is no a.py" in words
    assert (
        "This costs you no points"
        in page_of(
            result([check_part(outcome=Outcome.INCONCLUSIVE, criterion="results")], CRITERIA[:1])
        ).words
    )


@pytest.mark.parametrize("place", ["id", "module", "note", "message", "hint", "code", "printed"])
def test_nothing_of_a_submission_is_markup(place: str) -> None:
    """Whatever a submission writes anywhere is shown as it is, and is no element and no
    template.
    """
    handed_in: dict[str, Any] = {"id": "a", "path": "a", "module": "a.py", "note": ""}
    given: dict[str, Any] = {"message": "m", "hint": "h"}
    for part in (handed_in, given):
        part.update({place: EVIL} if place in part else {})
    code, printed = (EVIL if place == name else "x" for name in ("code", "printed"))
    source = {"file": "a.py", "line": 3, "code": code}
    evidence = {"source": source, "printed": [printed]}
    found = [check_part("t.py::test_a[fork]", "results", evidence=evidence, **given)]
    read = page_of(result(found, CRITERIA[:1], submission=Submission(**handed_in)))
    assert EVIL in read.words
    assert not {"script", "img"} & set(read.tags)


def test_page_runs_and_loads_nothing() -> None:
    """There is no script, no address to load from, and a policy that forbids both."""
    page = student_page(some_failures(), CRITERIA)
    read = Read(page)
    assert not {"script", "link", "img", "iframe", "object", "embed", "form"} & set(read.tags)
    assert not [name for name, _ in read.attributes if name in ("src", "style")]
    assert all(value.startswith("#") for name, value in read.attributes if name == "href")
    assert not [name for name, _ in read.attributes if name.startswith("on")]
    assert not re.search(r"url\(|@import|https?:|//", page)
    policy = next(value for _, value in read.attributes if value.startswith("default-src"))
    style = page.partition("<style>")[2].partition("</style>")[0]
    known = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{known}';")
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert ("content", "width=device-width, initial-scale=1") in read.attributes


def test_long_lines_are_cut() -> None:
    """A submission that prints megabytes has a page that a phone can show."""
    evidence = {"printed": ["x" * 3_000_000]}
    found = [check_part("t.py::test_a[fork]", "results", evidence=evidence, message="y" * 99_999)]
    assert len(student_page(result(found, CRITERIA[:1]), CRITERIA[:1])) < 30_000


def test_late_work_and_what_a_person_has_set() -> None:
    """The grade is the one that counts; what was changed, and why, is said."""
    given = Override(submission="a", criterion="shutdown", points=1, reason="fine", who="Prof. K.")
    changed = adjustments.with_overrides(some_failures(), [given], CRITERIA)
    late = LatePart(seconds=90_000.0, score=1.5, penalty="0.5", drop="false")
    words = page_of(replace(changed, late=late)).words
    assert "1.5 of 3 points" in words
    assert "late by 1 day 1 h: 2 -> 1.5 points" in words
    assert "shutdown: 0 of 1 -> 1 of 1 by hand, Prof. K.: fine" in words


@pytest.mark.parametrize("status", [Status.GRADED, Status.ERROR])
def test_nothing_of_hidden_criteria_that_a_person_has_set(status: Status) -> None:
    """Of a hidden criterion that was set by hand only the points are told, and who set them."""
    secret = (CRITERIA[0], replace(CRITERIA[1], title="Secret", hidden=True))
    whole = replace(some_failures(), status=status, reason="test_b broke")
    given = [
        Override(submission="a", criterion=each.name, points=1, reason=reason, who="Prof. K.")
        for each, reason in zip(secret, ("as test_b shows", "zombies are fine"), strict=True)
    ]
    shown, rubric = redacted(adjustments.with_overrides(whole, given, secret), secret)
    read = page_of(shown, rubric)
    assert "hidden-1: 0 of 1 -> 1 of 1 by hand, Prof. K.: a hidden check" in read.words
    assert "as a hidden check shows" in read.words
    for word in ("shutdown", "Secret", "zombies", "test_b"):
        assert word not in read.said
        assert word not in str(shown.machine)
