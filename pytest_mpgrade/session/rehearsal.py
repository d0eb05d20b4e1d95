"""Rehearsals of tests: what they will ask of the submission is known before they run.

So their runs are made at the same time. Tests that are marked ``rehearsed`` are called twice: first
with a `Rehearsal` in place of the student, which notes the plays, has them made in the background
and answers that they were not tried. The mark is the author's word that such a test has no other
effect.
"""

from __future__ import annotations

import contextlib
import inspect
import io
from collections.abc import Mapping

import pytest

from pytest_mpgrade.records import Exploration, Finding, Run, Scaling, Step, Timing
from pytest_mpgrade.session.items import later, start_method_of
from pytest_mpgrade.student.calls import Student
from pytest_mpgrade.student.runs import LATER
from pytest_mpgrade.student.unmade_runs import untried_runs

MARK = "rehearsed"


class Rehearsal(Student):
    """Takes the place of a test's *student* while other tests are rehearsed.

    It judges nothing and times nothing.
    """

    def __init__(self, student: Student) -> None:
        super().__init__(student._runs, student.start_method)
        self._relied = student._relied

    def play(self, *steps: Step) -> tuple[Run, ...]:
        """Have the calls made in the background; the runs that it returns know nothing yet."""
        self._prepare(steps, LATER)
        return untried_runs(self._scenario(steps), "rehearsal", "the test is rehearsed", None)

    def elsewhere(self) -> list[Student]:
        """Return rehearsals under the other start methods."""
        return [Rehearsal(each) for each in super().elsewhere()]

    def time(self, *_: object, **__: object) -> Timing:
        """Take no timing: each is taken in its turn."""
        raise _NotRehearsedError

    def scale(self, *_: object, **__: object) -> Scaling:
        """Take no timing: each is taken in its turn."""
        raise _NotRehearsedError

    def explore(self, *_: object, **__: object) -> Exploration:
        """Explore nothing: that takes the time that it is given."""
        raise _NotRehearsedError

    def check(self, *_: object) -> list[Finding]:
        """Judge nothing."""
        return []


class _NotRehearsedError(Exception):
    """The rest of a test depends on a result that no rehearsal has."""


class Rehearsals:
    """A plugin of pytest that rehearses tests.

    It rehearses the tests of a file, under one start method, when the first of them is called. By
    then that test's fixtures have made the plainest call. Where it did not return, a Rehearsal
    plays nothing of these functions, as the tests will not.
    """

    def __init__(self) -> None:
        self._done: set[tuple[object, str]] = set()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        """Rehearse what comes after this test."""
        values = getattr(item, "funcargs", {})
        student = values.get("student")
        if type(student) is not Student:
            return
        if item.get_closest_marker(MARK):
            student.ahead = ()  # each start method's tests have a rehearsal of their own
        if (item.path, student.start_method) in self._done:
            return
        self._done.add((item.path, student.start_method))
        for each in later(item):
            same = each.path == item.path and start_method_of(each) == student.start_method
            if same and isinstance(each, pytest.Function) and each.get_closest_marker(MARK):
                _rehearse(each, student, values)


def _rehearse(item: pytest.Function, student: Student, fixtures: Mapping[str, object]) -> None:
    """Call a test with a Rehearsal and its own parameters.

    All other values are those of another test's *fixtures*.
    """
    values = {**fixtures, **item.callspec.params, "student": Rehearsal(student)}
    wanted = inspect.signature(item.obj).parameters
    if not wanted.keys() <= values.keys():
        return
    not_the_turn_to_fail = (Exception, pytest.skip.Exception, pytest.fail.Exception)
    with contextlib.suppress(*not_the_turn_to_fail), contextlib.redirect_stdout(io.StringIO()):
        item.obj(**{name: values[name] for name in wanted})
