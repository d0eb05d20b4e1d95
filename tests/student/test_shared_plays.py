"""Calls that share a process, and are made again by themselves where that proves nothing; real
processes.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from pytest_mpgrade import checks, steps
from pytest_mpgrade.records import Ending, Outcome, Step
from pytest_mpgrade.student import Student
from pytest_mpgrade.student.runs import RunCache
from support.running import wait_until

MODULE = """
    import os
    import threading

    calls = []

    def where(number):
        return os.getpid()

    def counts(number):
        calls.append(number)
        return len(calls)

    def hangs():
        threading.Event().wait()

    def dies():
        os._exit(3)

    def raises():
        raise ValueError("as it should")

    def leaves_a_thread():
        threading.Thread(target=threading.Event().wait, daemon=True).start()

    def leaves_a_child():
        import multiprocessing as mp
        mp.Process(target=threading.Event().wait, daemon=True).start()
"""

Together = Callable[..., tuple[RunCache, Student]]


@pytest.fixture
def together(run_cache: Callable[..., RunCache]) -> Together:
    """Return the runs of the module, and a student whose *calls* may share a process."""

    def make(*calls: Step) -> tuple[RunCache, Student]:
        runs = run_cache(MODULE)
        student = Student(runs, "fork")
        student.together(*calls)
        return runs, student

    return make


def where(number: int) -> Step:
    """Return a call that tells its process; each *number* is a call of its own."""
    return steps.call("where", number)


def test_one_process_serves_all(together: Together) -> None:
    """Calls that come back and leave nothing are made in one process; another call is not."""
    _, student = together(where(1), steps.call("raises"), where(2))
    (first,), (raised,), (second,) = (
        student.play(each) for each in (where(1), steps.call("raises"), where(2))
    )
    (alone,) = student.play(where(3))
    assert first.encoded == second.encoded != alone.encoded
    assert raised.ending is Ending.RAISED


@pytest.mark.parametrize("name", ["hangs", "dies", "leaves_a_thread", "leaves_a_child"])
def test_what_follows_is_made_apart(together: Together, name: str) -> None:
    """A call after one that does not come back, or that leaves something, is made by itself."""
    first, last = where(1), where(2)
    _, student = together(first, steps.call(name), last)
    (before,), (odd,), (after,) = (student.play(each) for each in (first, steps.call(name), last))
    assert before.ending is after.ending is Ending.RETURNED
    assert before.encoded != after.encoded
    assert (odd.ending is Ending.RETURNED) is name.startswith("leaves")
    wanted = {"hangs": Ending.HUNG, "dies": Ending.DIED}.get(name, Ending.RETURNED)
    (alone,) = together()[1].play(steps.call(name))
    assert odd.ending is alone.ending is wanted


def test_what_fails_counts_only_apart(together: Together) -> None:
    """A submission that remembers earlier calls is not blamed for them: the call that a check finds
    fault with is made again by itself, once for all tests.
    """
    first, second = steps.call("counts", 1), steps.call("counts", 2)
    runs, student = together(first, second)
    for each in (first, second):
        (run,) = student.play(each)
        (finding,) = student.check(run, checks.returns_value(1, hint="count from 1"))
        assert finding.outcome is Outcome.PASSED
    (again,) = student.play(second)
    assert again.encoded == ["int", "1"]
    made = list(runs.done())
    (same,) = Student(runs, "fork").play(second)
    assert same == again
    assert list(runs.done()) == made


def test_what_fails_apart_fails(together: Together) -> None:
    """What is wrong in a process of its own is found so, and once."""
    first, second = where(1), where(2)
    _, student = together(first, second)
    (run,) = student.play(second)
    findings = student.check(run, checks.returns_value(os.getpid(), hint="nobody's"))
    assert [each.outcome for each in findings] == [Outcome.FAILED]
    assert student.findings == findings


def test_calls_that_are_shared_are_prepared_together(together: Together) -> None:
    """To prepare one of them in the background prepares the play of all, and no call by itself."""
    calls = [where(number) for number in range(3)]
    runs, student = together(*calls)
    student.prepare(*((each,) for each in calls))
    values = [student.play(each)[0].encoded for each in calls]
    assert values[0] == values[1] == values[2]
    assert sum(run.function == "where" for run in runs.done()) == len(calls)


def test_what_follows_is_made_at_once(together: Together) -> None:
    """As soon as it is known that a call proves nothing in its play, it is made by itself in the
    background: no test has to ask for it.
    """
    first, last = where(1), where(2)
    runs, student = together(first, steps.call("leaves_a_thread"), last)
    student.prepare((first,))
    assert wait_until(lambda: sum(run.function == "where" for run in runs.done()) == 3)
    made = list(runs.done())
    (after,) = student.play(last)
    assert after == made[-1]
    assert list(runs.done()) == made
