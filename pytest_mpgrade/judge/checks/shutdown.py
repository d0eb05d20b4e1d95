"""Checks of how workers end and what is left.

They judge runs in which every worker had arrived at a gate first, and calls without tasks of ours,
where each child process counts as a worker.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytest_mpgrade.judge.attribution import at_import, not_returned, returned_nothing
from pytest_mpgrade.judge.check import PASSED, Verdict, absent, failed, fault, not_here, undecided
from pytest_mpgrade.judge.definition import check
from pytest_mpgrade.judge.hang_facts import ending_words
from pytest_mpgrade.judge.symptoms import ALIVE, FORCED, HELPER, NONE_STARTED, UNJOINED
from pytest_mpgrade.records import Concern, ProcessSeen, Run

FAILING_END = (
    "let a worker return from its function at 'STOP': an exception, or sys.exit(), gives another"
    " exit status"
)
"""A hint for workers that end with an exit status other than 0."""


_OF_TASKS = frozenset(("note", "gate", "doom", "leave"))
"""What only a process that takes tasks reports; one that dies of its first task says so alone."""
_TO_BE_TOLD = "put 'STOP' on the task queue once for each worker"
_TO_RETURN = (
    "let each child process return from its function, told by a sentinel, and join() it; do not"
    " terminate() or kill() it"
)
"""Hints for workers that take tasks, and for child processes of any other call."""


def noun(run: Run) -> str:
    """Return what messages call the processes of `workers_of`."""
    return "workers" if run.tasked else "child processes"


def _task_pids(run: Run) -> set[int]:
    """Return the pids of the child processes that reported a task."""
    return {event.pid for event in run.trace.events if event.kind in _OF_TASKS} - {run.trace.caller}


def started_by(run: Run) -> list[ProcessSeen]:
    """Return the child processes that began in this call, without Python's own helpers."""
    return [process for process in run.trace.processes if not process.helper and process.first >= 0]


def workers_of(run: Run) -> list[ProcessSeen]:
    """Return the processes that ran tasks in this run.

    Of a call that was given no tasks of ours these are all child processes that it started, but a
    manager's that is left.
    """
    if not run.tasked:
        return [process for process in started_by(run) if not process.manager]
    ran = _task_pids(run)
    return [process for process in run.trace.processes if process.pid in ran]


def others_of(run: Run) -> list[ProcessSeen]:
    """Return the processes that ran no task and are not Python's own, such as a manager's."""
    if not run.tasked:
        return [process for process in started_by(run) if process.manager]
    ran = _task_pids(run)
    return [
        process for process in run.trace.processes if process.pid not in ran and not process.helper
    ]


def unjudged(run: Run, concern: Concern, *, idle: bool = False) -> Verdict | None:
    """Return the verdict on a run whose end shows nothing about *concern*; else None.

    The call did not come back, or no worker ran a task. *idle* is for a call without tasks.
    """
    verdict = not_returned(run, concern)
    if verdict is not None:
        return verdict
    if run.import_children:
        return at_import()
    if idle:
        return None
    if not workers_of(run) and not run.tasked:
        return _none_started(run)
    if not workers_of(run) and _task_pids(run):
        return not_here(
            f"the workers had gone before they could be seen (observer: {run.trace.observer})"
        )
    if not workers_of(run) and (nothing := returned_nothing(run)):
        return nothing
    if not workers_of(run):
        words = "no child process ran a task, so there was nothing to shut down (see workers)"
        return absent(words, fault(Concern.WORKERS, f"no child process ran a task of {run.call}"))
    gates = run.trace.gates
    if gates is not None and gates.early:
        return returned_early(run)
    return None


def _none_started(run: Run) -> Verdict:
    """Return that there is nothing to shut down: no child process was started, or was seen."""
    if run.trace.observer != "ptrace":
        return not_here(f"no child process was seen (observer: {run.trace.observer})")
    words = f"{run.call} started no child process"
    return absent(
        f"{words}, so there was nothing to shut down (see started)",
        fault(Concern.WORKERS, words, symptom=NONE_STARTED),
    )


def returned_early(run: Run) -> Verdict:
    """Return that `values_in_any_order` fails for it: a call returned while tasks were held.

    The results of these tasks are lost.
    """
    seen = f"{run.call} returned while tasks were still held"
    return undecided(seen, "values_in_any_order", fault(Concern.RESULTS, seen, symptom="values"))


def not_told_to_stop(run: Run, alive: list[ProcessSeen]) -> Verdict:
    """Return that `ended_by_sentinel` fails for it: workers are still alive.

    Living workers keep pipes and other things, which need no failure of their own.
    """
    still = (
        f"{len(alive)} process{'es were' if len(alive) > 1 else ' was'} still running 2 s after"
        f" {run.call}"
    )
    said = fault(Concern.SENTINEL, still, symptom=ALIVE, **listed(alive, lambda _: "alive"))
    return undecided("the workers were not told to stop", "ended_by_sentinel", said)


def words(exitcode: int | None) -> str:
    """Return an exit code in words; a signal is given by its name."""
    return ending_words(exitcode, unknown="still running")


def listed(processes: list[ProcessSeen], describe: Callable[[ProcessSeen], str]) -> dict[str, Any]:
    """Return the evidence on processes: each with its pid, its exit code and its state."""
    shown = [
        {"pid": process.pid, "exitcode": process.exitcode, "state": describe(process)}
        for process in processes
    ]
    return {"workers": shown}


@check(title="every worker ends by itself, told by a sentinel", concern=Concern.SENTINEL)
def ended_by_sentinel(run: Run) -> Verdict:
    """Every worker ends by itself: exit status 0 and no signal, at most 2 s after the return.

    The check needs a run in which every worker had arrived at a gate, as in one of
    `tasks.rendezvous(n)`, or a call without tasks of ours, all of whose child processes are judged.
    It fails when a worker still ran 2 s after the return, or ended by a signal or with another exit
    status. It is absent when no child process ran a task. It is skipped
    when the platform does not show how processes end, or the workers had gone before they could be
    seen.

    It blames `values_in_any_order` when the call returned while tasks were held. A call that did
    not come back is left to the check that it belongs to.
    """
    verdict = unjudged(run, Concern.SENTINEL)
    if verdict is not None:
        return verdict
    workers = workers_of(run)
    alive = [worker for worker in workers if worker.later == "alive"]
    if alive:
        return failed(
            f"{len(alive)} of {len(workers)} {noun(run)} were still running 2 s after"
            f" {run.function} had returned",
            symptom=ALIVE,
            hint=_TO_BE_TOLD if run.tasked else _TO_RETURN,
            **listed(alive, lambda _: "alive"),
        )
    if run.trace.observer != "ptrace":
        return not_here(f"how workers end cannot be seen here (observer: {run.trace.observer})")
    wrong = [worker for worker in workers if worker.exitcode != 0]
    if wrong:
        return failed(
            f"{len(wrong)} of {len(workers)} {noun(run)} did not end by themselves:"
            f" {words(wrong[0].exitcode)}",
            symptom=FORCED,
            hint=_end_by_itself(wrong[0].exitcode, run),
            **listed(wrong, lambda worker: words(worker.exitcode)),
        )
    return PASSED


def _end_by_itself(exitcode: int | None, run: Run) -> str:
    if not run.tasked:
        return _TO_RETURN
    if exitcode is not None and exitcode > 0:
        return FAILING_END
    return (
        "put 'STOP' on the task queue once for each worker, and join() them; do not terminate() or"
        " kill() them"
    )


@check(
    title="no child process is left, alive or as a zombie",
    concern=Concern.CLEANUP,
    hint="join() every Process that you start()",
)
def no_leftovers(run: Run, *, idle: bool = False) -> Verdict:
    """When the call returns, no child process is alive and none is a zombie; *idle*: there was no
    task to run.

    The check needs a run in which every worker had arrived at a gate, as in one of
    `tasks.rendezvous(n)`, or a call without tasks of ours; with *idle*, a run with an empty list of
    tasks. It fails when a worker, or a child process of a call without tasks, was not joined at the
    return, or a process that ran no task outlived the call. It is absent when no child
    process ran a task. It is skipped under forkserver, where zombies cannot be seen, and when the
    workers had gone before they could be seen.

    It blames `ended_by_sentinel` when workers are still alive, and `values_in_any_order` when the
    call returned while tasks were held. A call that did not come back is left to the check that it
    belongs to.
    """
    verdict = unjudged(run, Concern.CLEANUP, idle=idle)
    if verdict is not None:
        return verdict
    if idle:
        return idle_ones(run)
    helpers = [process for process in others_of(run) if process.later == "alive"]
    stuck = [worker for worker in workers_of(run) if worker.later == "alive"]
    if helpers and stuck:  # a process without a task may be a worker, too
        return not_told_to_stop(run, stuck)
    if helpers:
        return failed(
            f"{_idle_process(helpers)} outlived {run.call}",
            symptom=HELPER,
            hint="shut down managers and pools that you start: with Manager() as m: …",
            **listed(helpers, lambda _: "alive"),
        )
    workers = workers_of(run)
    remaining = [worker for worker in workers if worker.at_return != "gone"]
    never_joined = [worker for worker in remaining if worker.later != "alive"]
    if never_joined:
        return unjoined(run, never_joined)
    if remaining:
        return not_told_to_stop(run, remaining)
    if run.start_method == "forkserver" and any(worker.born == "forkserver" for worker in workers):
        return not_here(
            "every worker had ended; under forkserver the server reaps children, joined or not"
        )
    return PASSED


def _idle_process(helpers: list[ProcessSeen]) -> str:
    """Return what messages call processes that are left and ran no task."""
    many = len(helpers) > 1
    if all(process.manager for process in helpers):
        return f"{len(helpers)} managers" if many else "a manager"
    return f"{len(helpers)} process{'es' * many} that ran no task"


def idle_ones(run: Run) -> Verdict:
    """Judge the processes of a call without tasks.

    Nobody knows which of them were workers, and none should outlive the call.
    """
    processes = [*workers_of(run), *others_of(run)]
    alive = [process for process in processes if process.later == "alive"]
    if alive:
        words = (
            f"{len(alive)} process{'es' * (len(alive) > 1)} outlived {run.call}, although there was"
            " no task to run"
        )
        said = failed(words, symptom=HELPER, **listed(alive, lambda _: "alive"))
        return undecided(words, "ended_by_sentinel", said, explained=ALIVE)
    zombies = [process for process in processes if process.later == "zombie"]
    if not zombies:
        return PASSED
    what = f"{len(zombies)} process{'es were zombies' if len(zombies) > 1 else ' was a zombie'}"
    return failed(
        f"{what} when {run.call} returned", symptom=UNJOINED, **listed(zombies, lambda _: "zombie")
    )


def unjoined(run: Run, workers: list[ProcessSeen]) -> Verdict:
    """Return the failure of a call that has not joined these workers."""
    total, some = len(workers_of(run)), len(workers)
    what = f"{some} of its {total} {noun(run)}"
    if some == total:
        what = f"its {total} {noun(run)}" if total > 1 else f"its {noun(run).replace('s', '', 1)}"
    zombies = all(worker.at_return == "zombie" for worker in workers)
    left = f", which {'is a zombie' if some == 1 else 'are zombies'}" if zombies else ""
    return failed(
        f"{run.function} returned without joining {what}{left}",
        symptom=UNJOINED,
        **listed(workers, _state),
    )


def _state(worker: ProcessSeen) -> str:
    if worker.at_return == "zombie":
        return "exited, never joined (zombie)"
    return "still running at the return, never joined"
