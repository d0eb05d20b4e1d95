"""Checks of work that a pool does in the background: begun, waited for, and not lost."""

from __future__ import annotations

from dataclasses import replace

from pytest_mpgrade.inside import plain_data
from pytest_mpgrade.judge.attribution import at_import, not_returned
from pytest_mpgrade.judge.check import (
    PASSED,
    Check,
    Verdict,
    absent,
    before_all,
    failed,
    fault,
    undecided,
)
from pytest_mpgrade.judge.checks.background import not_held_then
from pytest_mpgrade.judge.checks.background_children import children, ran_in_caller
from pytest_mpgrade.judge.checks.leftovers import residue
from pytest_mpgrade.judge.checks.results import compare
from pytest_mpgrade.judge.checks.shutdown import listed, not_told_to_stop
from pytest_mpgrade.judge.definition import check
from pytest_mpgrade.judge.symptoms import HELPER
from pytest_mpgrade.records import Concern, Ending, Outcome, Run
from pytest_mpgrade.tasks import Workload

_ASK_AGAIN = (
    "when the time is over, leave the pool and its results as they are, so that they can be asked"
    " for again"
)
"""A hint for a pool that was shut down before its work was done."""


def of_held(started: Run, check: Check) -> Check:
    """Return a check that is made only where the items were held that *started* began.

    Elsewhere it is left to the check that *started* belongs to: `returns_at_once`, say.
    """

    def judge(run: Run) -> Verdict:
        return before_all(run) or not_held_then(started, by=run) or check.judge(run)

    return replace(check, judge=judge)


@check(
    title="{n} processes work in the background",
    concern=Concern.WORKERS,
    hint="make a pool of n_processes, and hand it the items before you return",
)
def works_in_background(run: Run, n: int, started: Run) -> Verdict:
    """As soon as the call that *started* it has come back, exactly *n* child processes work.

    The check needs the pause `steps.meet(n + 1)` after *started*, a call that was given more held
    tasks than *n*. It fails when the calling process ran an item, and when fewer or more processes
    work. It fails under the concern `nonblocking` when none of the items was begun. It is absent
    when the items did not run in child processes.

    It blames `returns_at_once` when *started* waited for its tasks. When *started* raised, that is
    left to the check that it belongs to.
    """
    if any(map(ran_in_caller, (run, started))):
        return failed(
            f"an item ran in the process that called {started.function}",
            symptom="in the caller",
            hint="use a pool of processes; threads run in the calling process",
        )
    gates = run.trace.gates
    inside = gates.most_inside if gates is not None else 0
    if started.ending is Ending.RETURNED and gates is not None and not inside:
        if _waited(started):
            return not_held_then(started, by=run) or PASSED
        return fault(
            Concern.NONBLOCKING,
            f"{started.call} came back, but no item had been begun when everything was quiet",
            symptom="not begun",
        )
    not_held = not_held_then(started, by=run)
    if not_held is not None:
        return not_held
    if inside == n:
        return PASSED
    return failed(
        f"{inside if inside < n else f'at least {inside}'} processes worked on the items of"
        f" {started.call}; {n} were asked for",
        symptom="too few workers" if inside < n else "too many workers",
    )


def _waited(started: Run) -> bool:
    return started.trace.gates is not None and started.trace.gates.blocked


@check(
    title="raises TimeoutError when the results are not there in time",
    concern=Concern.NONBLOCKING,
    hint="give the timeout to get(): it raises TimeoutError when the time is over",
)
def times_out(run: Run, started: Run) -> Verdict:
    """While items are held, the call raises `TimeoutError`: Python's, or that of `multiprocessing`.

    The check needs a run of ``pool_finish(timeout=…)`` while the items are held that *started*
    began. It fails when the call waited for the items, returned something, or raised another
    exception. It is absent when no item ran in a child process.

    It blames `returns_at_once` when *started* waited for its items. When *started* raised, that is
    left to the check that it belongs to.
    """
    not_held = not_held_then(started, by=run)
    if not_held is not None:
        return not_held
    gates = run.trace.gates
    if gates is not None and gates.blocked:
        return failed(
            f"{run.call} waited for items that were still held: it came back only when they had"
            " been let go",
            symptom="blocks",
            hint=_ZERO if run.named.get("timeout") == 0 else "",
        )
    if run.ending is Ending.RETURNED:
        return failed(
            f"{run.call} returned {plain_data.shown(run.encoded)} while items were still held;"
            " it should raise TimeoutError",
            symptom="no time-out",
        )
    if run.ending is not Ending.RAISED or run.error is None:
        return not_returned(run, Concern.NONBLOCKING, owns_all=True) or PASSED
    if _is_timeout(run):
        return PASSED
    wrong = not_returned(run, Concern.NONBLOCKING, owns_all=True) or PASSED
    return (
        replace(
            wrong,
            message=f"{wrong.message}, where the time was over: TimeoutError was asked for",
            symptom="no time-out",
        )
        if wrong.outcome is Outcome.FAILED
        else wrong
    )


_ZERO = "0 is a time, too: only a timeout that is None means to wait as long as it takes"
"""What to do where a time of 0 s is not kept."""


def _is_timeout(run: Run) -> bool:
    """Tell whether the exception is a TimeoutError, or came of one and has that in its name."""
    return run.error is not None and run.error.type == "TimeoutError"


@check(
    title="after a TimeoutError the results can be asked for again",
    concern=Concern.NONBLOCKING,
    hint=_ASK_AGAIN,
)
def keeps_the_work(run: Run, workload: Workload, asked: Run) -> Verdict:
    """A time-out loses nothing: when it is *asked* for again, the call returns the results.

    The check needs a run of ``pool_finish()`` of *workload* after *asked*, a run of the same with a
    timeout. It fails when results are missing, and when the call raised or did not come back. It is
    absent when the items did not run in child processes.

    It blames `times_out` when *asked* did not raise TimeoutError, and `values_in_any_order` where
    that one, too, had failed before it had begun.
    """
    nothing = before_all(asked)
    if nothing is not None:
        return replace(nothing, shown_by=nothing.shown_by or asked)
    if ran_in_caller(run) or ran_in_caller(asked):
        return absent("the items did not run in a child process (see works_in_background)")
    if not _is_timeout(asked):
        seen = f"{asked.call} did not raise TimeoutError"
        said = fault(Concern.NONBLOCKING, seen, symptom="no time-out")
        return undecided(seen, "times_out", said, shown_by=asked)
    # One that gives up although no timeout was asked for has lost nothing: that is `results`.
    owns_all = not _is_timeout(run)
    wrong = not_returned(run, Concern.NONBLOCKING, owns_all=owns_all) or compare(
        run, workload.expected, workload.keys
    )
    if wrong.outcome is not Outcome.FAILED:
        return wrong
    return replace(wrong, message=f"after a TimeoutError, {wrong.message}", hint=_ASK_AGAIN)


@check(title="no thread, pipe, semaphore or shared memory is left", concern=Concern.CLEANUP)
def nothing_left_of_handle(run: Run, got: Run, *, row: Run | None = None) -> Verdict:
    """After *got* has returned, when the handle is dropped: nothing is left of the work.

    *row*: after a row of calls in one process, for what a library makes once for all of them.

    The check needs the step `steps.drop` after *got*, a run of ``pool_finish()``. It fails when a
    process that ran no item, a thread, pipe, semaphore or shared memory is left. It passes with a
    note when that is a library's. It is absent when no child process was started. It is skipped
    when the platform does not show what is left.

    It blames `ended_by_sentinel` when workers are still alive, and `no_leftovers` when *got* has
    not joined them. When *got* did not come back, that is left to the check that it belongs to.
    """
    nothing = before_all(got)
    if nothing is not None:
        return replace(nothing, shown_by=nothing.shown_by or got)
    if got.ending is not Ending.RETURNED:
        wrong = not_returned(got, Concern.CLEANUP)
        return replace(wrong, shown_by=got) if wrong is not None else PASSED
    if run.import_children:
        return at_import()
    if not children(run):
        return absent("no child process was started (see works_in_background)")
    alive = [child for child in children(run) if child.later == "alive"]
    if any(child.ran_task for child in alive):
        return not_told_to_stop(run, alive)
    if alive:
        return failed(
            f"{len(alive)} process{'es' * (len(alive) > 1)} that ran no item (a manager?) were left"
            " when the handle was dropped",
            symptom=HELPER,
            hint="shut down in pool_finish() what pool_start() has started",
            **listed(alive, lambda _: "alive"),
        )
    return residue(run, "the handle was dropped", once=run, row=row)
