"""Why a call went wrong: every pattern on a run that shows it, and none where it is not seen."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace

import pytest

from pytest_mpgrade.judge import causes
from pytest_mpgrade.judge.causes import hung, raised, returned
from pytest_mpgrade.judge.checks.results import values_in_any_order
from pytest_mpgrade.judge.examples.causes import CAUSES
from pytest_mpgrade.judge.examples.runs import MIXED, changed, worked
from pytest_mpgrade.judge.examples.shown import Shown
from pytest_mpgrade.judge.tracebacks import written

EACH = pytest.mark.parametrize(
    "shown", [pytest.param(one, id=f"{one.name}-{one.symptom}") for one in CAUSES]
)


@EACH
def test_pattern_is_found(shown: Shown) -> None:
    """The run of each example shows the cause that it was written for, and no other before it."""
    cause = causes.cause_of(shown.run, shown.symptom)
    assert cause is not None
    assert cause.name == shown.name


def test_every_pattern_has_an_example() -> None:
    """No name is given to a cause that no example has."""
    sources = "".join(inspect.getsource(module) for module in (hung, raised, returned))
    assert {one.name for one in CAUSES} == set(re.findall(r'name="([^"]+)"', sources))


@EACH
def test_hints_are_plain_sentences(shown: Shown) -> None:
    """A hint and what is said beside it are one line each, without a name of ours or an empty value
    in them.
    """
    cause = causes.cause_of(shown.run, shown.symptom)
    assert cause is not None
    for text in (cause.hint, cause.said):
        assert not re.search(r"\n|  |\bNone\b|\[\]|^\s|[\s.]$", text)


@pytest.mark.parametrize(
    "symptom", ["hang", "values", "raised ValueError", "in the caller", "residue", "slow"]
)
def test_nothing_fits_a_right_run(symptom: str) -> None:
    """A run in which nothing of the kind was seen gives no cause, whatever has failed."""
    assert causes.cause_of(worked(MIXED), symptom) is None


def test_only_calls_with_tasks_are_to_return_a_list() -> None:
    """Who was asked for an array, and returns a wrong one, is not told to make a list of it."""
    run = changed(worked(MIXED), encoded=["ndarray", "<f8", [1], "AAAAAAAA8D8="])
    assert causes.cause_of(run, "values") is not None
    assert causes.cause_of(replace(run, tasked=False), "values") is None


def test_hint_follows_from_what_was_seen() -> None:
    """One check has other hints for other runs, and none for wrong values that nothing explains."""
    check = values_in_any_order(MIXED)
    run = worked(MIXED)
    hints = {
        check(changed(run, encoded=value)).hint
        for value in (
            ["none"],
            ["list", []],
            ["list", list(MIXED.expected[1:])],
            ["list", list(MIXED.expected) * 2],
        )
    }
    assert len(hints) == 4
    wrong = [["int", "0"], *MIXED.expected[1:]]
    assert check(changed(run, encoded=["list", wrong])).hint == ""


BEGINS = "Traceback (most recent call last):\n"
MIXED_UP = """Process Process-2:
Process Process-1:
Traceback (most recent call last):
Traceback (most recent call last):
  File "/usr/lib/python3.11/multiprocessing/process.py", line 314, in _bootstrap
    self.run()
  File "/home/ada/cv_funcs.py", line 9, in worker
  File "/home/ada/cv_funcs.py", line 9, in worker
    output.put(calculate(func, args))
               ^^^^^^^^^^^^^^^^^^^^^
    output.put(calculate(func, args))
ValueError: kaputt 4711
ValueError: kaputt 4711
"""


@pytest.mark.parametrize(
    ("stderr", "words"),
    [
        (MIXED_UP, ["ValueError: kaputt 4711"]),
        (
            f"{BEGINS}Process Process-1:\n{BEGINS}KeyError\n",
            ["KeyError"],
        ),
        ("warning: slow\n", []),
        ("", []),
        (
            (
                f"{BEGINS}a.B: first\n\nDuring handling of the above exception, another exception"
                f" occurred:\n\n{BEGINS}a.C: second\nline two\n"
            ),
            ["C: second"],
        ),
    ],
    ids=["two at a time", "one cut short", "no traceback", "nothing", "a chain"],
)
def test_exceptions_are_found_in_what_was_written(stderr: str, words: list[str]) -> None:
    """Tracebacks are read even where several processes write at the same time; of a chain the last
    counts.
    """
    found = written(stderr)
    assert [each.words for each in found] == words
    if stderr is MIXED_UP:
        assert found[0].where == ", at cv_funcs.py:9: output.put(calculate(func, args))"
