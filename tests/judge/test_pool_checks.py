"""Checks of pools on runs written down by hand: chunks, time-outs, work in the background."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_mpgrade.judge import checks
from pytest_mpgrade.judge.check import Check
from pytest_mpgrade.judge.examples.pools import (
    CHUNKS,
    HELD,
    dealt,
    early,
    finished,
    pool_begun,
    working,
)
from pytest_mpgrade.judge.examples.runs import (
    CALLER,
    CREW,
    changed,
    lined_up,
    raising,
    worker_processes,
)
from pytest_mpgrade.records import Concern, Ending, GateEvent, GateReport, Outcome, Run

PASSED, FAILED, ABSENT, SKIPPED = Outcome.PASSED, Outcome.FAILED, Outcome.ABSENT, Outcome.SKIPPED
IN_THREES = dealt((0, 1, 2), (3, 4, 5), (6,))
SERIAL = pool_begun(
    events=(GateEvent(kind="gate", key="133", pid=CALLER, at=0.0145),), processes=()
)
WAITED = pool_begun(gates=GateReport(script="shut", blocked=True, quiet="proof"))


@pytest.mark.parametrize(
    ("sizes", "run", "words"),
    [
        pytest.param([3], IN_THREES, "", id="the last chunk is shorter"),
        pytest.param([2], dealt((0, 1, 6), (2, 3), (4, 5)), "", id="a worker gets two chunks"),
        pytest.param([4, 3], IN_THREES, "", id="one of several sizes"),
        pytest.param(
            [3],
            dealt((0, 3, 6), (1, 4), (2, 5)),
            "the first items that workers began were number 0, 1 and 2; in chunks of 3 they are"
            " 0, 3 and 6, counted from 0",
            id="one item at a time",
        ),
        pytest.param(
            [2],
            dealt((0, 1, 5), (2, 3), (4, 6)),
            "items 4 and 5, which are a chunk of 2, did not run in one process",
            id="the first items are right, and another is not",
        ),
        pytest.param(
            [3],
            dealt((0, 2, 1), (3, 4, 5), (6,)),
            "items 0, 1 and 2, which are a chunk of 3, did not run one after the other",
            id="a chunk backwards",
        ),
    ],
)
def test_chunks(sizes: list[int], run: Run, words: str) -> None:
    """Chunks are proven by the first items and by the process of every other one."""
    found = checks.chunked(CHUNKS, sizes)(run)
    assert (found.outcome, found.message) == (FAILED if words else PASSED, words)


def test_failed_chunks_show_who_got_what() -> None:
    """The evidence has the items of each process, consecutive ones as a range."""
    found = checks.chunked(CHUNKS, [2])(dealt((0, 1, 2), (3, 4, 5), (6,)))
    assert found.evidence["items"] == (
        f"process {CREW[0]}: 0-2; process {CREW[1]}: 3-5; process {CREW[2]}: 6"
    )


LOST = replace(IN_THREES, trace=replace(IN_THREES.trace, events=IN_THREES.trace.events[:-1]))


@pytest.mark.parametrize(
    ("check", "run", "outcome", "by"),
    [
        (checks.chunked(CHUNKS, [3]), LOST, SKIPPED, "values_in_any_order"),
        (checks.works_in_background(2, pool_begun()), working(3), FAILED, ""),
        (checks.works_in_background(3, WAITED), working(0), SKIPPED, "returns_at_once"),
        (checks.works_in_background(3, SERIAL), working(0), FAILED, ""),
        (checks.times_out(WAITED), early(), SKIPPED, "returns_at_once"),
        (checks.times_out(SERIAL), early(), ABSENT, ""),
        (
            checks.times_out(pool_begun()),
            raising(early(), "ValueError", "no", line="raise ValueError('no')"),
            FAILED,
            "",
        ),
        (
            checks.times_out(pool_begun()),
            changed(early(), ending=Ending.RETURNED, error=None, encoded=["none"]),
            FAILED,
            "",
        ),
        (checks.keeps_the_work(HELD, finished()), finished(), SKIPPED, "times_out"),
        (
            checks.keeps_the_work(HELD, early()),
            finished(encoded=["list", list(HELD.expected[1:])]),
            FAILED,
            "",
        ),
        (
            checks.of_held(WAITED, checks.ended_by_sentinel()),
            finished(),
            SKIPPED,
            "returns_at_once",
        ),
        (checks.of_held(SERIAL, checks.values_in_order(HELD)), finished(), ABSENT, ""),
        (checks.of_held(pool_begun(), checks.values_in_order(HELD)), finished(), PASSED, ""),
        (
            checks.of_held(pool_begun(), checks.ended_by_sentinel()),
            finished(processes=worker_processes(exitcode=-15)),
            FAILED,
            "",
        ),
    ],
)
def test_who_is_blamed(check: Check, run: Run, outcome: Outcome, by: str) -> None:
    """A fault of the call that began the work is left to the check that it belongs to."""
    found = check(run)
    assert (found.outcome, found.undecided_by) == (outcome, by), found.message


def test_work_that_nobody_began_is_a_matter_of_waiting() -> None:
    """A pool_start that only notes what is to be done has the right number of workers later: it
    fails under `nonblocking`.
    """
    found = checks.works_in_background(3, pool_begun())(working(0))
    assert (found.outcome, found.concern) == (FAILED, Concern.NONBLOCKING)
    assert "came back, but no item had been begun" in found.message


def test_giving_up_unasked_is_no_lost_work() -> None:
    """A call that gives up although no timeout was asked for is judged by the check of values."""
    gave_up = raising(finished(), "TimeoutError", "", line="return future.get(1)")
    found = checks.keeps_the_work(HELD, early())(gave_up)
    assert (found.outcome, found.undecided_by) == (SKIPPED, "values_in_any_order")


def test_workers_may_be_renewed() -> None:
    """A worker that is replaced by a new one is no worker too many where a course allows that."""
    run = lined_up()
    gates = run.trace.gates
    assert gates is not None
    first, *others = gates.steps
    renewed = replace(gates, steps=(replace(first, arrived_pid=4199), *others))
    for allowed, outcome in ((True, PASSED), (False, FAILED)):
        assert checks.workers(3, renewed=allowed)(changed(run, gates=renewed)).outcome is outcome
