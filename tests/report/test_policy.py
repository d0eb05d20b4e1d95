"""`mpgrade rubric` says all that decides points, and a handout's table nothing that is hidden."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_mpgrade import cli
from support.small_assignment import TESTS, TOML, author, put

__all__ = ["author"]

MORE = """
[late]
due = 2026-03-02T23:59:00+01:00
penalty = "0.1 * points * ceil(days)"
drop = "days > 7"

[environment]
packages = ["numpy"]
"""
OWN = '{name = "own", points = 1, title = "Says one"'
VARIANTS = '@pytest.mark.parametrize("size", [1, 2])\ndef test_values(student, size):'


@pytest.fixture
def course(author: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of an assignment with a late rule, variants, and a hidden criterion."""
    folder = author / "course" / "twice"
    toml = TOML.replace(OWN, f'{OWN}, hidden = true, requires = ["values"]')
    toml = toml.replace("points = 4\n", "points = 4\nround = 0.5\n")
    put(folder / "assignment.toml", toml.replace("seconds = 10\n", "seconds = 11\n") + MORE)
    tests = TESTS.replace("def test_values(student):", VARIANTS)
    put(folder / "test_twice.py", tests.replace('"values")', '"values", weight=2)', 1))
    monkeypatch.chdir(author)
    monkeypatch.setenv("COLUMNS", "80")
    return folder


def printed(capsys: pytest.CaptureFixture[str], *options: str) -> str:
    """Return what `mpgrade rubric` prints of the assignment."""
    assert cli.main(["rubric", "course/twice", *options]) == 0
    return capsys.readouterr().out


def test_all_of_the_policy(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One command says the points with their weights and units, rounding, lateness with examples,
    extensions, what is hidden, limits, and what becomes of what is undecided.
    """
    text = printed(capsys)
    assert max(map(len, text.splitlines())) <= 80
    flat = " ".join(text.split())
    for words in (
        "The module can be imported 2 1.5",  # a weight of 2, of 4 and 3 points
        "Every task has its value 2 × 2 0.75",
        "Says one (hidden); only with half of the points of “Right 1 values”",
        "twice.py with apply_all(tasks) and one()",
        "may import the standard library, numpy",
        "its start methods (fork, spawn at most) and for each of its variants",
        "rounded half up to a multiple of 0.5 points, once",
        "a right solution always has all 4",
        "more than a quarter of the points is inconclusive or in error there is no grade",
        "due: 2026-03-02 23:59+01:00",
        "points taken off (penalty): 0.1 * points * ceil(days)",
        "no points are left where (drop): days > 7",
        "handed in 1 hour late: 4 points become 3.5 (12.5 % off), 2 points become 2 (0 % off)",
        "handed in 72 hours late: 25 % off, 4 points become 3",
        "handed in 192 hours late: 100 % off, 4 points become 0",
        "its column due, or extension_days",
        "own, worth 1: test_one",
        "time: 11 s for a call, 5 s for the import, 1800 s for the whole grading",
        "memory: 2 GB; processes at a time: 256",
        "printed text is cut at 1 MB",
    ):
        assert words in flat, words


def test_late_example_of_a_day(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The example says by how much: two days begun are two tenths."""
    toml = course / "assignment.toml"
    toml.write_text(toml.read_text().replace("round = 0.5\n", ""))
    assert "handed in 26 hours late: 20 % off, 4 points become 3.2" in printed(capsys)


def test_handout_hides_what_is_hidden(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The table for students has the points of a hidden criterion, and no name of it."""
    toml = course / "assignment.toml"
    toml.write_text(
        toml.read_text()
        .replace('{name = "values",', '{name = "values", requires = ["own"],')
        .replace(', requires = ["values"]}', "}")
    )
    text = printed(capsys, "--markdown")
    assert "| **A hidden check** | **1** |" in text
    assert "(only with half of the points of “a hidden check”)" in text
    for secret in ("Says one", "one() is one", "test_one"):
        assert secret not in text
    assert "Every task has its value" in text


def test_without_rules(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An assignment without a late rule, hidden criteria or packages says so."""
    put(course / "assignment.toml", TOML)
    text = " ".join(printed(capsys).split())
    assert "There is no late rule: handing in late costs nothing." in text
    assert "Hidden from students nothing" in text
    assert "may import the standard library only" in text
    assert "A criterion that requires others" not in text
