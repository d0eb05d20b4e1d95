"""Checks of background tasks: what must not wait, what must, and what is told meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pytest_mpgrade.inside import plain_data
from pytest_mpgrade.judge.attribution import blamed_for, not_returned, somewhere_else, unreturned
from pytest_mpgrade.judge.check import (
    PASSED,
    Verdict,
    absent,
    before_all,
    failed,
    fault,
    inconclusive,
    undecided,
)
from pytest_mpgrade.judge.checks.background_children import children, ran_in_caller
from pytest_mpgrade.judge.definition import check
from pytest_mpgrade.judge.failure_text import not_back
from pytest_mpgrade.judge.symptoms import HANDLES, MADE_UP
from pytest_mpgrade.records import Concern, Ending, GateReport, Run

POLL_SECONDS = 0.3
"""How long a poll may keep the caller waiting, in seconds; docs/contract.md, polling.

``get(timeout=0.2)`` is free, and takes a little longer than 0.2 s.
"""
RUNNING = "still running"
"""What `bg_get` prints of a task that is not done; docs/contract.md, bg_task."""
WAITED_SECONDS = 5.0
"""The limit for each call that must not wait, in seconds; docs/contract.md, polling.

Of several calls the fastest has a shorter limit, as another process may keep one of them waiting.
"""
OWN_QUEUES = (
    "make new queues and a new process for every task, and keep none of them in a global variable"
)
"""A hint for tasks that share their queues."""
_START_AND_RETURN = "start the child process, or a pool's work, and return; do not wait for it here"
_LOOK_WITHOUT_WAITING = (
    "look whether a result is there without waiting for it, as get_nowait() does"
)
START_SECONDS = 1.0
"""How long starting a process may keep the caller waiting, in seconds.

Under forkserver the first process waits until the server has started.
"""


def _waited(runs: Sequence[Run], seconds: float) -> Verdict:
    """Judge by the fastest of several calls how long they waited.

    A single call may have waited for another process that got no core.
    """
    waits = [run.blocked for run in runs if run.ending is Ending.RETURNED]
    fastest, slowest = min(waits), max(waits)
    if fastest <= seconds and slowest > WAITED_SECONDS:
        return failed(
            f"{runs[0].call} came back, but once its caller slept or waited for {slowest:.1f} s"
            " first",
            symptom="blocks",
        )
    if fastest <= seconds:
        return PASSED
    return failed(
        f"{runs[0].call} came back, but its caller slept or waited for {fastest:.1f} s first "
        f"(the fastest of {len(runs)} calls; {seconds:g} s are free)",
        symptom="blocks",
    )


@check(
    title="returns at once, while the task is still running",
    concern=Concern.NONBLOCKING,
    hint=lambda started: _START_AND_RETURN if started is None else _LOOK_WITHOUT_WAITING,
)
def returns_at_once(
    run: Run,
    others: Sequence[Run] = (),
    *,
    started: Run | None = None,
    seconds: float = START_SECONDS,
    by: Run | None = None,
) -> Verdict:
    """The call comes back while its task is held, without waiting: of several calls the fastest
    counts.

    *by*: a step after the call, by which its child processes have been started, where a thread may
    do that.

    Waiting is measured where the machine's load has no part in it: seconds in which the calling
    thread neither ran nor wanted a core, less those in which others did.

    The check needs a run of `bg_task` with a held task, and *others* like it; or runs of
    ``bg_get(block=False)`` for the task that *started* began. It fails when the call came back only
    after its task had been let go, slept or waited for longer than *seconds*, or hung. It is absent
    when the task did not run in a child process. It is inconclusive when the time limit came and
    the call had not waited long.

    It blames `returns_at_once` when *started* had waited for its task. A call that raised is left
    to the check that it belongs to.
    """
    not_held = not_held_then(started, run) if started is not None else None
    if not_held is not None:
        return not_held
    if run.ending is Ending.RAISED:
        return not_returned(run, Concern.NONBLOCKING) or PASSED
    if run.ending is not Ending.RETURNED:
        return not_returned(run, Concern.NONBLOCKING, owns_all=True) or PASSED
    if any(one.trace.gates is not None and one.trace.gates.blocked for one in (run, *others)):
        return failed(
            f"{run.call} waited for a task: it came back only when that had been let go",
            symptom="blocks",
        )
    own = not_held_then(run, by=by) if started is None else None
    return own or _waited((run, *others), seconds)


def waited(run: Run) -> Verdict:
    """Return that `returns_at_once` fails for it: the call waited for a task and must not."""
    seen = f"{run.call} waited for the task"
    said = fault(Concern.NONBLOCKING, seen, symptom="blocks")
    return undecided(seen, "returns_at_once", said, shown_by=run)


def not_held_then(started: Run, run: Run | None = None, *, by: Run | None = None) -> Verdict | None:
    """Return a verdict where the task was not held when `bg_get` was called; None where it was.

    `bg_task` may have failed, waited for the task, or run it itself. *by* is the step by which it
    has started its child processes, if that is not *started*.
    """
    nothing = before_all(started)
    if nothing is not None:
        return replace(nothing, shown_by=nothing.shown_by or started)
    if started.ending is Ending.RAISED:
        return undecided(
            f"{started.call} raised", blamed_for(started), unreturned(started), shown_by=started
        )
    if started.ending is not Ending.RETURNED:
        return never_returned(started)
    seen = [one for one in (started, run, by) if one is not None]
    if not children(by or started) or any(map(ran_in_caller, seen)):
        return absent("the task did not run in a child process (see starts_in_background)")
    return let_go(started)


def never_returned(started: Run) -> Verdict:
    """Return which check fails for a `bg_task` that did not come back.

    A call that does not come back at all does not come back at once: that is `returns_at_once`.
    """
    if somewhere_else(started):
        return undecided(
            f"{started.call} did not return",
            blamed_for(started),
            unreturned(started),
            shown_by=started,
        )
    said = replace(not_back(started), concern=Concern.NONBLOCKING)
    return undecided(f"{started.call} did not return", "returns_at_once", said, shown_by=started)


def let_go(run: Run) -> Verdict | None:
    """Return a verdict where the grader let go of held tasks while the call waited; else None.

    It is inconclusive where the time limit came and the call had not waited long.
    """
    gates = run.trace.gates
    if gates is None or gates.script != "shut" or (gates.early and not gates.blocked):
        return None
    if gates.blocked or run.blocked > WAITED_SECONDS:
        return waited(run)
    return inconclusive(
        f"{run.call} was not back when the time limit came, but had not waited long: the machine is"
        " busy"
    )


@check(
    title="the task runs in a child process",
    concern=Concern.WORKERS,
    hint="start a multiprocessing.Process whose target is worker",
)
def starts_in_background(run: Run, *later: Run) -> Verdict:
    """The task runs in a child process.

    *later*: calls of `bg_get` that came after it.

    The check needs a run of `bg_task`. It fails when the task ran in the calling process, when no
    child process was started, and when a *later* call returned the result of a task that no process
    had run. A call that did not come back is left to the check that it belongs to.
    """
    if run.ending is not Ending.RETURNED:
        return not_returned(run, Concern.WORKERS) or PASSED
    if any(ran_in_caller(one) for one in (run, *later)):
        return failed("the task ran in the process that called bg_task", symptom="in the caller")
    if not children(run):
        return failed("bg_task started no child process", symptom="in the caller")
    given = [
        one
        for one in later
        if one.function and one.ending is Ending.RETURNED and one.encoded != ["none"]
    ]
    if (
        given
        and given[-1].trace.observer != "psutil"
        and not any(each.ran_task for each in children(given[-1]))
    ):
        return failed(
            f"{given[-1].call} returned a result of a task that no process had run",
            symptom=MADE_UP,
            hint="let the child process run the task, whatever it is",
        )
    return PASSED


def _no_overlap(gates: GateReport, n: int) -> Verdict:
    """Return the failure of background tasks that did not run at the same time."""
    words = f"only {gates.most_inside} of {n} background tasks ran at the same time"
    return fault(Concern.CONCURRENCY, words, symptom="no overlap")


def never_met(pause: Run, started: Sequence[Run]) -> Verdict | None:
    """Return a verdict where background tasks did not run at the same time; None where they did.

    Whose result comes first cannot be judged then.
    """
    not_held = next((wrong for wrong in map(not_held_then, started) if wrong is not None), None)
    gates = pause.trace.gates
    if not_held is not None or gates is None or gates.met:
        return not_held
    said = _no_overlap(gates, gates.wanted)
    return undecided(
        "the tasks did not run at the same time", "meet_in_background", said, shown_by=pause
    )


@check(
    title="{n} background tasks run at the same time",
    concern=Concern.CONCURRENCY,
    hint="make new queues and a new process for every task",
)
def meet_in_background(run: Run, n: int, started: Sequence[Run] = ()) -> Verdict:
    """*n* background tasks, by those that *started* them, run at the same time, each in a process
    of its own.

    The check needs the pause `steps.meet(n)` after *n* calls of `bg_task`. It fails when fewer than
    *n* tasks ran at the same time. It is absent when no task ran in a child process. It is
    inconclusive when a call that *started* one was not back as the time limit came, and had not
    waited long.

    It blames `starts_in_background` when the tasks did not get that far, and `returns_at_once` when
    a call that *started* one waited for its task. A call that raised is left to the check that it
    belongs to.
    """
    not_held = next((wrong for wrong in map(not_held_then, started) if wrong is not None), None)
    if not_held is not None:
        return not_held
    gates = run.trace.gates
    if gates is None:
        return undecided("the tasks did not get that far", "starts_in_background")
    if gates.met:
        return PASSED
    if not gates.most_inside:
        return absent("no task was run in a child process (see starts_in_background)")
    return _no_overlap(gates, n)


@check(
    title="returns (p, task_queue, done_queue)",
    concern=Concern.RESULTS,
    hint="return p, task_queue, done_queue",
)
def gives_three_handles(run: Run) -> Verdict:
    """`bg_task` returns ``(p, task_queue, done_queue)``.

    The check needs a run of `bg_task`. It fails when the call returned something else, or the first
    of the three is no process although one was started. A call that did not come back is left to
    the check that it belongs to.
    """
    wrong = not_returned(run, Concern.RESULTS)
    if wrong is not None:
        return wrong
    if isinstance(run.encoded, list) and run.encoded[0] == "tuple" and len(run.encoded[1]) == 3:
        first = run.encoded[1][0]
        if first[-1] is None and children(run):
            return failed(
                f"the first of the three handles that {run.call} returned is no process but"
                f" {first[1]}",
                symptom=HANDLES,
            )
        return PASSED
    return failed(
        f"{run.call} returned {plain_data.shown(run.encoded)}, not (p, task_queue, done_queue)",
        symptom=HANDLES,
    )
