"""Checks of whether a call comes back at all, also with large and many results."""

from __future__ import annotations

from dataclasses import replace

from pytest_mpgrade.judge.attribution import not_returned, somewhere_else
from pytest_mpgrade.judge.check import PASSED, Verdict, absent, fault, inconclusive, undecided
from pytest_mpgrade.judge.checks.results import values_in_any_order
from pytest_mpgrade.judge.definition import check
from pytest_mpgrade.judge.failure_text import not_back
from pytest_mpgrade.judge.hang_facts import TELL_THEM, workers_not_told
from pytest_mpgrade.judge.verdict import by_nobody
from pytest_mpgrade.records import Concern, Ending, Run
from pytest_mpgrade.tasks import Workload

MUCH_FASTER = 0.1
"""A call is slow if the reference needs at most this part of its time for the same tasks.

No load of the machine explains a difference as large as this.
"""
NO_NAPS = (
    "let the parent wait for the next result, in get() or wait(), and do nothing else for each of"
    " them"
)
"""A hint for a parent that takes its results too slowly."""


@check(title="the call comes back")
def comes_back(run: Run, concern: Concern = Concern.DEADLOCK) -> Verdict:
    """The call comes back: nobody waits for a lock or a pipe for ever.

    The check needs a run of any tasks. It fails when the call hangs in a deadlock: a process waits
    for a lock, for room in a pipe that nobody empties, or for an event that nobody sets. It is
    absent when no child process ran a task. A call that did not come back for another reason is
    left to the check that it belongs to; with another concern, this check fails when that explains
    the hang.
    """
    return not_returned(run, concern) or _by_children(run)


@check(
    title="no worker waits for a 'STOP' that never comes",
    concern=Concern.SENTINEL,
    hint=TELL_THEM,
)
def workers_are_told_to_stop(run: Run) -> Verdict:
    """The parent does not wait for the end of workers that wait for a task or a sentinel.

    The check needs a run of any tasks. It fails when the call hangs in this way. It is absent when
    no child process ran a task. A call that did not come back for another reason is left to the
    check that it belongs to.
    """
    return not_returned(run, Concern.SENTINEL) or _by_children(run)


def _by_children(run: Run) -> Verdict:
    """Return `absent` where no child process ran a task: a return shows nothing then."""
    ran = {event.pid for event in run.trace.events if event.kind in ("note", "gate")}
    if (ran or run.in_caller or run.trace.tasks) and ran <= {run.trace.caller}:
        words = "no child process ran a task, so there was nothing to wait for (see in_children)"
        return absent(words, by_nobody(run))
    return PASSED


@check(title="large and many results come through", concern=Concern.DEADLOCK, of_tasks=True)
def drains(run: Run, workload: Workload, n: int) -> Verdict:
    """Large or many results come through; a submission that ran nothing in children shows nothing
    here.

    The check needs a run of *workload*, which is `tasks.big(…)` or `tasks.many(…)`, by *n*
    processes. It fails when the call hung, raised, or returned other results. It is absent when no
    child process ran a task. It is inconclusive when the call still made progress as the time limit
    came.

    It blames `in_children` when the time was not enough for more than *n* processes. It fails under
    the concern `sentinel` when the parent waits for workers that were not told to stop, `results`
    when workers left before all tasks were done, and `speedup` when the reference needs a tenth of
    the time for the same.
    """
    ran = {event.pid for event in run.trace.events if event.kind == "note"}
    if run.ending in (Ending.TIMED_OUT, Ending.STOPPED) and len(ran) > n:
        words = f"{len(ran)} processes were started for the tasks"
        return undecided(
            words, "in_children", fault(Concern.WORKERS, words, symptom="too many workers")
        )
    if (
        run.ending is Ending.TIMED_OUT
        and _goes_on(run)
        and 0 < run.theirs <= MUCH_FASTER * run.seconds
    ):
        return _slow(run)
    if run.ending is Ending.TIMED_OUT and _goes_on(run):
        return inconclusive(
            f"{run.call} was still making progress when the time limit came after"
            f" {run.seconds:.0f} s"
        )
    if workers_not_told(run) and not somewhere_else(run):
        return replace(not_back(run), concern=Concern.SENTINEL, hint=TELL_THEM)
    verdict = values_in_any_order(workload, Concern.DEADLOCK).judge(run)
    if verdict is PASSED and ran <= {run.trace.caller}:
        words = "no child process ran a task, so there were no results to drain (see in_children)"
        return absent(words, by_nobody(run))
    return verdict


def _slow(run: Run) -> Verdict:
    words = (
        f"{run.call} was still making progress after {run.seconds:.0f} s; the reference has just"
        f" needed {run.theirs:.1f} s for the same tasks"
    )
    return fault(Concern.SPEEDUP, words, symptom="slow", hint=NO_NAPS)


def _goes_on(run: Run) -> bool:
    """Tell whether a task began, or results were read, in the last 3 s of a run."""
    return run.still_reading or (
        bool(run.trace.events) and run.trace.events[-1].at > run.seconds - 3.0
    )
