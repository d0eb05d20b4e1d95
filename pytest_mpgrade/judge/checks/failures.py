"""Checks of runs in which a task raises or a worker dies."""

from __future__ import annotations

from dataclasses import replace

from pytest_mpgrade.inside import plain_data
from pytest_mpgrade.judge.attribution import at_import, somewhere_else, unreturned
from pytest_mpgrade.judge.check import PASSED, Verdict, absent, failed, fault, undecided
from pytest_mpgrade.judge.checks.leftovers import residue
from pytest_mpgrade.judge.checks.shutdown import listed, workers_of
from pytest_mpgrade.judge.definition import check
from pytest_mpgrade.judge.failure_text import not_back
from pytest_mpgrade.judge.hang_facts import ended_badly, waiting_workers
from pytest_mpgrade.judge.symptoms import ALIVE, HELPER, MADE_UP, UNJOINED
from pytest_mpgrade.judge.tracebacks import by_call
from pytest_mpgrade.records import Awaited, Concern, Ending, ProcessSeen, RaisedError, Run
from pytest_mpgrade.tasks import Workload


def _serial(run: Run) -> Verdict | None:
    """Return `absent` where the tasks ran in the calling process: no worker can fail there."""
    pids = {event.pid for event in run.trace.events if event.kind in ("note", "doom")}
    if pids and pids <= {run.trace.caller}:
        words = "the task ran in the calling process"
        said = fault(Concern.WORKERS, words, symptom="in the caller")
        return absent(f"{words}, so no worker could fail (see in_children)", said)
    return None


def _ran(run: Run) -> bool:
    """Tell whether a task was run: in this call, or in an earlier one that had begun its work."""
    earlier = run.trace.observer == "psutil" or any(each.ran_task for each in run.trace.processes)
    return earlier or any(event.kind == "note" for event in run.trace.events)


def _task_not_run(seen: str, run: Run) -> Verdict:
    """Return that the task that raises, or dies, was never run.

    Either its result is missing, or the call ended before that task.
    """
    said = fault(Concern.RESULTS, f"{seen} by {run.call}", symptom="values")
    return undecided(
        seen, "values_in_any_order", said if run.ending is Ending.RETURNED else unreturned(run)
    )


def _did_not_raise(run: Run, by: str) -> Verdict:
    """Return that the check named *by* fails for it: the call did not raise."""
    seen = f"{run.call} did not raise"
    returned = run.ending is Ending.RETURNED
    return somewhere_else(run) or undecided(
        seen, by, failed(seen, symptom="swallowed") if returned else not_back(run)
    )


WATCH = (
    "wait for results and Process.sentinel together, or look at is_alive() whenever get(timeout=…)"
    " is empty"
)
"""A hint for a parent that waits for the result of a worker that has died."""


@check(title="when a task raises, the call raises", concern=Concern.FAILURE)
def raises_soon(run: Run, message: str, *, large: Run | None = None) -> Verdict:
    """A task raises: so does the call, soon, with an exception that is that one or names it.

    *large*: a call with large results and no exception, for one that raises beside such a result.

    The check needs a run of `tasks.raises(message=…)`. It fails when the call returned, when it
    waits for a result that cannot come, and when its exception has not got *message* in it, nor has
    one that this came of. It is absent when the task ran in the calling process.

    It blames `values_in_any_order` when the task that raises was not run, and `drains` when *large*
    did not come back either. It fails under the concern `workers` when the call raised the
    exception of a task that no process had run.
    """
    verdict = _serial(run)
    if verdict is not None:
        return verdict
    back = (Ending.RETURNED, Ending.RAISED)
    if large is not None and large.ending not in back and run.ending not in back:
        words = f"{large.call} did not come back either"
        return undecided(words, "drains", replace(not_back(large), concern=Concern.DEADLOCK))
    if run.ending is Ending.RETURNED and not _ran(run):
        return _task_not_run("the task that raises was not run", run)
    if run.ending is Ending.RETURNED:
        return failed(
            f"a task raised, but {run.call} returned {plain_data.shown(run.encoded)} instead of"
            " raising",
            symptom="swallowed",
            hint="raise in the parent what a worker has sent of its task's exception",
        )
    if run.ending is not Ending.RAISED or run.error is None:
        return somewhere_else(run) or _waits_for_it(run)
    error = run.error
    if not _ran(run) and message in error.message:
        return fault(
            Concern.WORKERS,
            f"{run.call} raised the exception of a task that no process had run",
            symptom=MADE_UP,
        )
    if message in error.message or any(message in link for link in error.chain):
        return PASSED
    return _unnamed(run, error, message)


def _unnamed(run: Run, error: RaisedError, message: str) -> Verdict:
    thrown = by_call(run)
    return failed(
        f"a task raised an exception that says {message!r}; {run.call} raised "
        f"{error.type}: {error.message[:80]!r}, which does not name it",
        symptom="unnamed",
        hint=(
            "put the text of the task's exception into the one that you raise, or raise that one"
            " itself"
        ),
        **(thrown.source if thrown else {}),
    )


def _waits_for_it(run: Run) -> Verdict:
    """Return the failure of a call that waits for the result of a task that raised.

    The exception ended the worker, or the worker sent nothing to the parent.
    """
    if any(Awaited.ROOM in worker.awaits for worker in waiting_workers(run)):
        hint = (
            "read what workers send until each of them has ended, after an error too: a worker"
            " cannot end while its result waits for room in the pipe"
        )
    elif any(process.exitcode == 1 for process in ended_badly(run)):
        hint = (
            "an exception that nobody catches ends its worker: catch it there, and send it, or its"
            " text, to the parent"
        )
    else:
        hint = (
            "let a worker send something for a task that raises too, or the parent waits for it for"
            " ever"
        )
    return replace(not_back(run), hint=hint)


@check(title="when a worker dies, the call raises", concern=Concern.FAILURE, of_tasks=True)
def notices_death(run: Run) -> Verdict:
    """A worker dies in its first task: the call raises, rather than wait for a result that cannot
    come.

    The check needs a run of `tasks.dies()`. It fails when the call returned, or waits. It is absent
    when the task ran in the calling process.

    It blames `values_in_any_order` when the task in which the worker dies was not run.
    """
    verdict = _serial(run)
    if verdict is not None:
        return verdict
    if not any(event.kind == "doom" for event in run.trace.events):
        return somewhere_else(run) or _task_not_run(
            "the task in which the worker dies was not run", run
        )
    if run.ending is Ending.RAISED:
        return PASSED
    if run.ending is Ending.RETURNED:
        return failed(
            f"a worker died in its task, but {run.call} returned {plain_data.shown(run.encoded)}"
            " instead of raising",
            symptom="swallowed",
            hint="raise an exception when a worker has ended without the result of its task",
        )
    return somewhere_else(run) or replace(not_back(run), hint=WATCH)


@check(
    title="after an error, waiting tasks are not started",
    concern=Concern.FAILURE,
    hint="when you get an error, take the waiting tasks off the queue before you send 'STOP'",
    of_tasks=True,
)
def waiting_not_started(run: Run, workload: Workload) -> Verdict:
    """After an error the tasks that still wait are not started: at most half of a long line may be.

    The check needs a run of *workload*, which is `tasks.raises(message=…, followed_by=…)`. It fails
    when more than half of the waiting tasks were started after the error, or workers that outlive
    the call go on with them: how many they start is then a matter of how long they are watched. It
    is absent when the tasks ran in the calling process.

    It blames `raises_soon` when the call did not raise, and `values_in_any_order` when the task
    that raises was not run.
    """
    line = set(workload.keys[1:])
    verdict = _serial(run)
    if verdict is not None:
        return verdict
    if run.ending is not Ending.RAISED:
        return _did_not_raise(run, "raises_soon")
    begun = [event.key for event in run.trace.events if event.kind == "note"]
    if workload.keys[0] not in begun:
        return _task_not_run("the task that raises was not run", run)
    # Tasks that were started before the error are a matter of order, and do not count here.
    started = sum(key in line for key in begun[begun.index(workload.keys[0]) :])
    alive = {process.pid for process in run.trace.processes if process.later == "alive"}
    if any(
        event.kind == "note" and event.key in line and event.pid in alive and event.at > run.seconds
        for event in run.trace.events
    ):
        return failed(
            f"{run.call} raised, and its workers went on with the tasks that waited: {started} of"
            f" {len(line)} had been started when the workers were ended",
            symptom="goes on after an error",
        )
    if 2 * started <= len(line):
        return PASSED
    return failed(
        f"after the first task had raised, {started} of the {len(line)} waiting tasks were started"
        " all the same",
        symptom="goes on after an error",
    )


def _still_there(run: Run, children: list[ProcessSeen]) -> Verdict:
    alive = [process for process in children if process.later == "alive"]
    evidence = listed(children, lambda process: process.later)
    if not alive:
        return failed(
            f"{len(children)} process{'es were zombies' if len(children) > 1 else ' was a zombie'}"
            f" when {run.call} had raised",
            symptom=(
                UNJOINED if {p.pid for p in workers_of(run)} & {p.pid for p in children} else HELPER
            ),
            hint="join() every Process also when you raise",
            **evidence,
        )
    worked = {process.pid for process in workers_of(run)}
    helpers = all(process.manager for process in alive) or (
        worked and not worked & {process.pid for process in alive}
    )
    return failed(
        f"{len(alive)} process{'es were' if len(alive) > 1 else ' was'} still running 2 s after"
        f" {run.call} had raised",
        symptom=HELPER if helpers else ALIVE,
        **evidence,
    )


@check(
    title="after an error all workers are shut down, and nothing is left",
    concern=Concern.FAILURE,
    hint="shut the workers down in a finally block",
)
def all_shut_down(
    run: Run,
    after: str = "raises_soon",
    *,
    row: Run | None = None,
    dropped: Run | None = None,
) -> Verdict:
    """After an error no worker is left, alive or as a zombie, and nothing else of the call.

    *after*: the check that is blamed when the call did not raise; *row*: the last of many calls in
    one process, for what a library makes once for all of them; *dropped*: the step in which a
    handle was dropped that kept pipes until then.

    The check needs a run of `tasks.raises(message=…)` or `tasks.dies()` that raised. It fails when
    a process, thread, pipe, semaphore or shared memory is left. It passes with a note when that is
    a library's. It is absent when the task ran in the calling process. It is skipped when the
    platform does not show what is left.

    It blames *after*, which is `raises_soon` or `notices_death`, when the call did not raise.
    """
    verdict = _serial(run)
    if verdict is not None:
        return verdict
    if run.ending is not Ending.RAISED:
        return _did_not_raise(run, after)
    if run.import_children:
        return at_import()
    remaining = [
        process for process in run.trace.processes if not process.helper and process.later != "gone"
    ]
    if remaining:
        return _still_there(run, remaining)
    later, what = (run, "the exception") if dropped is None else (dropped, "the handle")
    return residue(later, f"{run.call} had raised, {what} was dropped", once=later, row=row)
