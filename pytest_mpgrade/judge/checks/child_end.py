"""Checks of how the child of a background task ends, and of what is left of it."""

from __future__ import annotations

from dataclasses import replace

from pytest_mpgrade.inside import plain_data
from pytest_mpgrade.judge.attribution import not_returned
from pytest_mpgrade.judge.check import (
    PASSED,
    Verdict,
    absent,
    before_all,
    failed,
    fault,
    not_here,
    undecided,
)
from pytest_mpgrade.judge.checks.background_children import children, doers, ran_in_caller
from pytest_mpgrade.judge.checks.background_results import ANY, did_not_wait, ignored_block
from pytest_mpgrade.judge.checks.leftovers import residue
from pytest_mpgrade.judge.checks.shutdown import FAILING_END, listed, words
from pytest_mpgrade.judge.definition import check
from pytest_mpgrade.judge.symptoms import ALIVE, FORCED, HELPER
from pytest_mpgrade.records import Concern, Ending, Run

_NO_DOER = absent(
    "no child process ran the task, so none had to end for it (see starts_in_background)"
)


@check(title="the child ends by itself, told by the sentinel")
def child_ended(run: Run, concern: Concern = Concern.SENTINEL, *, result: object = ANY) -> Verdict:
    """When `bg_get` has returned the *result*, the child has ended by itself: exit status 0, no
    signal.

    The check needs a run of `bg_get` that returned the *result*. It fails when the child still ran
    2 s later, or ended by a signal or with another exit status. It is absent when no child process
    ran the task. It is skipped when the platform does not show how processes end.

    It blames `hands_over` when the call did not return the *result*, and `waits_when_asked` when it
    did not wait. A call that did not come back is left to the check that it belongs to.
    """
    wrong = _not_handed_over(run, concern, result)
    if wrong is not None:
        return wrong
    alive = [child for child in doers(run) if child.later == "alive"]
    if alive:
        return failed(
            f"the child was still running 2 s after {run.call} had returned its result",
            symptom=ALIVE,
            hint="put 'STOP' on task_queue once you have the result",
            **listed(alive, lambda _: "alive"),
        )
    if run.trace.observer != "ptrace":
        return not_here(f"how the child ends cannot be seen here (observer: {run.trace.observer})")
    wrong_end = [child for child in doers(run) if child.exitcode != 0]
    if wrong_end:
        return failed(
            f"the child did not end by itself: {words(wrong_end[0].exitcode)}",
            symptom=FORCED,
            hint=_by_itself(wrong_end[0].exitcode),
            **listed(wrong_end, lambda child: words(child.exitcode)),
        )
    return PASSED


def _by_itself(exitcode: int | None) -> str:
    if exitcode is not None and exitcode > 0:
        return FAILING_END
    return "put 'STOP' on task_queue and join() the child; do not terminate() or kill() it"


def _no_result(run: Run) -> Verdict:
    seen = f"{run.call} did not return the result"
    return undecided(seen, "hands_over", fault(Concern.RESULTS, seen, symptom="values"))


def _not_told(run: Run) -> Verdict:
    alive = [child for child in doers(run) if child.later == "alive"]
    said = fault(
        Concern.SENTINEL,
        f"the child was still running 2 s after {run.call}",
        symptom=ALIVE,
        **listed(alive, lambda _: "alive"),
    )
    return undecided("the child was not told to stop", "child_ended", said)


def _not_handed_over(run: Run, concern: Concern, result: object) -> Verdict | None:
    want = ANY if result is ANY else plain_data.encode(result)
    if ran_in_caller(run):
        return _NO_DOER
    if ignored_block(run, want):
        return did_not_wait(run)
    if run.ending is not Ending.RETURNED:
        return not_returned(run, concern)
    if want is not ANY and run.encoded != want:
        return _no_result(run)
    if not children(run):
        return absent("no child process was started (see starts_in_background)")
    return None


@check(
    title="the child is joined",
    concern=Concern.CLEANUP,
    hint="p.join() after you have sent 'STOP'",
)
def child_joined(run: Run, *, result: object = ANY) -> Verdict:
    """When `bg_get` has returned the *result*, the child has been joined: it is no zombie.

    The check needs a run of `bg_get` that returned the *result*. It fails when the child was a
    zombie or still there at the return. It is absent when no child process ran the task. It is
    skipped under forkserver, where zombies cannot be seen.

    It blames `child_ended` when the child is still alive, `hands_over` when the call did not return
    the *result*, and `waits_when_asked` when it did not wait. A call that did not come back is left
    to the check that it belongs to.
    """
    wrong = _not_handed_over(run, Concern.CLEANUP, result)
    if wrong is not None:
        return wrong
    processes = doers(run)
    if any(child.later == "alive" for child in processes):
        return _not_told(run)
    if run.start_method == "forkserver" and any(child.born == "forkserver" for child in processes):
        # The server reaps children that nobody joins: whether the grader still sees one is a race.
        return not_here(
            "under forkserver the server reaps children, whether they are joined or not"
        )
    unjoined = [child for child in processes if child.at_return != "gone"]
    if unjoined:
        zombie = unjoined[0].at_return == "zombie"
        what = "was a zombie" if zombie else "had not been joined"
        return failed(
            f"the child {what} when {run.call} returned the result",
            symptom="not joined",
            **listed(unjoined, lambda child: child.at_return),
        )
    return PASSED


@check(title="no thread, pipe, semaphore or shared memory is left", concern=Concern.CLEANUP)
def nothing_left_of_tasks(
    run: Run, got: Run, *, result: object = ANY, once: Run | None = None, row: Run | None = None
) -> Verdict:
    """After *got* has returned the *result*, when the handles are dropped: nothing is left of the
    task.

    *once*: the same after one task, where this is after a row of them; *row*: after a row, where
    this is after one.

    The check needs the step `steps.drop` after *got*, a run of `bg_get`. It fails when a process
    that ran no task, a thread, pipe, semaphore or shared memory is left. It passes with a note when
    that is a library's. It is absent when no child process ran the task. It is skipped when the
    platform does not show what is left.

    It blames `child_ended` when the child is still alive, `nothing_else_left` when one task leaves
    as much as a row of them, `hands_over` when *got* did not return the *result*, and
    `waits_when_asked` when it did not wait. A call that did not come back is left to the check that
    it belongs to.
    """
    nothing = before_all(got)
    if nothing is not None:
        return replace(nothing, shown_by=nothing.shown_by or got)
    if ran_in_caller(got):
        return _NO_DOER
    not_got = _not_handed_over(got, Concern.CLEANUP, result)
    if not_got is not None:
        return replace(not_got, shown_by=got)
    if not children(run):
        return absent("no child process was started (see starts_in_background)")
    worked = doers(run)
    alive = [child for child in children(run) if child.later == "alive"]
    if any(child in worked for child in alive):
        return _not_told(run)
    if alive:
        return failed(
            "a process that ran no task (a manager?) is left although p and both queues were"
            " dropped",
            symptom=HELPER,
            hint="shut down managers that you start, once you have the result",
            **listed(alive, lambda _: "alive"),
        )
    when = "p and both queues were dropped"
    return residue(run, when, once=once or run, row=row if once is None else run)
