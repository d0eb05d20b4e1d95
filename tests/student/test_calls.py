"""What is tried again, and remembered, before a submission is blamed; real processes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_mpgrade import checks, steps, tasks
from pytest_mpgrade.records import Concern, Ending, Outcome
from pytest_mpgrade.student import Student
from pytest_mpgrade.student.runs import RunCache

HANGS_UNDER = """
    import multiprocessing as mp
    import threading

    def f():
        with open({journal!r}, "a") as file:
            file.write(mp.get_start_method() + "\\n")
        if mp.get_start_method() in {methods!r}:
            threading.Event().wait()
        return 1

    def g():
        return 2
"""


def hanging(run_cache: Callable[..., RunCache], journal: Path, *methods: str) -> RunCache:
    """Return the runs of a submission whose f() hangs under these start methods."""
    return run_cache(HANGS_UNDER.format(journal=str(journal), methods=methods))


def test_what_makes_the_difference_is_found_out_once(
    run_cache: Callable[..., RunCache], tmp_path: Path
) -> None:
    """Every test relies on the plainest call; whether that returns elsewhere is tried by the first
    of them.
    """
    journal = tmp_path / "journal"
    shared = hanging(run_cache, journal, "fork")
    assert Student(shared, "fork").rely_on(steps.call("f"))[0].returned_under == "spawn"
    before = journal.read_text()
    assert Student(shared, "fork").rely_on(steps.call("f"))[0].returned_under == "spawn"
    assert journal.read_text() == before


@pytest.mark.parametrize(
    ("methods", "here", "under"),
    [
        pytest.param(("fork",), "fork", "spawn", id="fork alone"),
        pytest.param(("spawn", "forkserver"), "spawn", "fork", id="both that start anew"),
        pytest.param(("fork", "forkserver"), "fork", "", id="the quick ones"),
        pytest.param(
            ("fork", "forkserver"), "forkserver", "", id="the quick ones, asked for the other"
        ),
    ],
)
def test_how_fast_a_start_method_is_is_not_its_fault(
    run_cache: Callable[..., RunCache],
    tmp_path: Path,
    methods: tuple[str, ...],
    here: str,
    under: str,
) -> None:
    """What fails under fork and forkserver and works under spawn is a race: the two have nothing
    else in common.
    """
    shared = hanging(run_cache, tmp_path / "journal", *methods)
    assert Student(shared, here).rely_on(steps.call("f"))[0].returned_under == under


def test_calls_after_one_that_hangs_know_why(
    run_cache: Callable[..., RunCache], tmp_path: Path
) -> None:
    """A call that is not made holds the run that is why, with all that has been found out of it."""
    student = Student(hanging(run_cache, tmp_path / "journal", "fork"), "fork")
    stuck, second = student.rely_on(steps.call("f"), steps.call("g"))
    assert second.ending is Ending.NOT_TRIED
    assert second.cause == stuck
    assert second.because == "works_under_start_method"
    assert student.call("f").cause == stuck


UNUSABLE = """
    def f():
        return 1

    def g(p):
        return 2
"""


def test_call_that_lacks_what_another_returned_names_that(student: Callable[..., Student]) -> None:
    """Where handles could not be used the call that returned them is why, and the check fails for
    that.
    """
    given, asked = student(UNUSABLE).play(
        steps.call("f", save="it", opaque=True), steps.call("g", *steps.saved("it", 1))
    )
    assert (asked.ending, asked.cause) == (Ending.NOT_TRIED, given)
    finding = checks.hands_over(2)(asked)
    assert finding.instead is not None
    assert (finding.instead.run, finding.instead.concern) == (given.key, Concern.RESULTS)


SLOW = """
    import multiprocessing as mp
    import time

    def run(tasks, queue):
        for func, args in tasks:
            queue.put(func(*args))

    def mp_apply(tasks, n_processes=2):
        queue, results = mp.Queue(), []
        p = mp.Process(target=run, args=(tasks, queue))
        p.start()
        for _ in tasks:
            results.append(queue.get())
            time.sleep({nap})
        p.join()
        return results
"""


@pytest.mark.parametrize(("nap", "outcome"), [(0.0, Outcome.FAILED), (0.05, Outcome.INCONCLUSIVE)])
def test_what_the_reference_does_in_a_tenth_of_the_time_is_slow(
    run_cache: Callable[..., RunCache], nap: float, outcome: Outcome
) -> None:
    """A call that makes progress to its time limit is slow if the reference has just done the same,
    else undecided.
    """
    workload = tasks.square(range(100))
    own, reference = (
        run_cache(SLOW.format(nap=0.5), seconds=8.0),
        run_cache(SLOW.format(nap=nap), seconds=8.0),
    )
    student = Student(own, "fork", lambda: reference)
    run = student.play(steps.call("mp_apply", workload))[0]
    assert run.ending is Ending.TIMED_OUT
    finding = checks.drains(workload, 2)(run)
    assert finding.outcome is outcome
    if outcome is Outcome.FAILED:
        assert (finding.concern, finding.symptom) == (Concern.SPEEDUP, "slow")
        assert "the reference has just needed" in finding.message
