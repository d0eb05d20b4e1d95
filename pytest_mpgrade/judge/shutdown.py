"""Checks of how workers end and what is left; judged on runs in which every worker had arrived at a gate first."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pytest_mpgrade.judge.check import PASSED, Check, Verdict, absent, failed, fault, not_here, undecided
from pytest_mpgrade.judge.returned import at_import, not_returned
from pytest_mpgrade.records import Concern, Ending, ProcessSeen, Run

ALIVE = "workers stay alive"
"""The symptom of workers that nobody has told to stop."""
UNJOINED = "not joined"
"""The symptom of workers that have ended and that nobody has joined."""
HELPER = "helper alive"
"""The symptom of processes that ran no task, such as a manager's, and are not shut down."""
RESIDUE = "residue"
"""The symptom of threads, pipes and names that are left."""
_OF_HELPERS = frozenset(("thread", "semaphore"))
"""What a library may keep for itself."""
FORCED = "forced"
"""The symptom of workers that did not end by themselves."""


def _task_pids(run: Run) -> set[int]:
    return {event.pid for event in run.trace.events if event.kind in ("note", "gate", "leave")} - {run.trace.caller}


def workers_of(run: Run) -> list[ProcessSeen]:
    """Return the processes that ran tasks in this run."""
    ran = _task_pids(run)
    return [process for process in run.trace.processes if process.pid in ran]


def others_of(run: Run) -> list[ProcessSeen]:
    """Return the processes that ran no task and are not Python's own: managers and the like."""
    ran = _task_pids(run)
    return [process for process in run.trace.processes if process.pid not in ran and not process.helper]


def _unjudged(run: Run, concern: Concern, *, idle: bool = False) -> Verdict | None:
    verdict = not_returned(run, concern)
    if verdict is not None:
        return verdict
    if run.import_children:
        return at_import()
    if idle:
        return None
    if not workers_of(run) and _task_pids(run):
        return not_here(f"the workers had gone before they could be seen (observer: {run.trace.observer})")
    if not workers_of(run):
        words = "no child process ran a task, so there was nothing to shut down (see workers)"
        return absent(words, fault(Concern.WORKERS, f"no child process ran a task of {run.call}"))
    gates = run.trace.gates
    if gates is not None and gates.early:
        return returned_early(run)
    return None


def returned_early(run: Run) -> Verdict:
    """A call that returned while its tasks were held has lost their results."""
    seen = f"{run.call} returned while tasks were still held"
    return undecided(seen, "values_in_any_order", fault(Concern.RESULTS, seen, symptom="values"))


def not_told_to_stop(run: Run, alive: list[ProcessSeen]) -> Verdict:
    """Workers that are alive say that nobody told them to stop: what is left of them is no matter of its own."""
    still = f"{len(alive)} process{'es were' if len(alive) > 1 else ' was'} still running 2 s after {run.call}"
    said = fault(Concern.SENTINEL, still, symptom=ALIVE, **listed(alive, lambda _: "alive"))
    return undecided("the workers were not told to stop", "ended_by_sentinel", said)


def words(exitcode: int | None) -> str:
    """Return an exit code in words: by the name of the signal where it was one."""
    if exitcode is None:
        return "still running"
    if exitcode < 0:
        try:
            return f"killed by {signal.Signals(-exitcode).name}"
        except ValueError:
            return f"killed by signal {-exitcode}"
    return f"exit status {exitcode}"


def listed(processes: list[ProcessSeen], describe: Callable[[ProcessSeen], str]) -> dict[str, Any]:
    """Return the evidence about processes, each with its pid, its exit code and a word on its state."""
    shown = [{"pid": process.pid, "exitcode": process.exitcode, "state": describe(process)} for process in processes]
    return {"workers": shown}


def ended_by_sentinel() -> Check:
    """Every worker ends by itself: exit status 0 and no signal, at most 2 s after the return."""

    def judge(run: Run) -> Verdict:
        verdict = _unjudged(run, Concern.SENTINEL)
        if verdict is not None:
            return verdict
        workers = workers_of(run)
        alive = [worker for worker in workers if worker.later == "alive"]
        if alive:
            return failed(
                f"{len(alive)} of {len(workers)} workers were still running 2 s after {run.function} had returned",
                symptom=ALIVE,
                **listed(alive, lambda _: "alive"),
            )
        if run.trace.observer != "ptrace":
            return not_here(f"how workers end cannot be seen here (observer: {run.trace.observer})")
        wrong = [worker for worker in workers if worker.exitcode != 0]
        if wrong:
            return failed(
                f"{len(wrong)} of {len(workers)} workers did not end by themselves: {words(wrong[0].exitcode)}",
                symptom=FORCED,
                **listed(wrong, lambda worker: words(worker.exitcode)),
            )
        return PASSED

    return Check(
        name="ended_by_sentinel",
        title="every worker ends by itself, told by a sentinel",
        concern=Concern.SENTINEL,
        hint="put 'STOP' on the task queue once for each worker; do not terminate() or kill() them",
        judge=judge,
    )


def no_leftovers(*, idle: bool = False) -> Check:
    """When the call returns, no child process is alive and none is a zombie; *idle*: there was no task to run."""

    def judge(run: Run) -> Verdict:
        verdict = _unjudged(run, Concern.CLEANUP, idle=idle)
        if verdict is not None:
            return verdict
        if idle:
            return _idle_ones(run)
        helpers = [process for process in others_of(run) if process.later == "alive"]
        if helpers:
            return failed(
                f"{len(helpers)} process{'es' * (len(helpers) > 1)} that ran no task (a manager?) outlived {run.call}",
                symptom=HELPER,
                hint="shut down managers and pools that you start: with Manager() as m: …",
                **listed(helpers, lambda _: "alive"),
            )
        workers = workers_of(run)
        left = [worker for worker in workers if worker.at_return != "gone"]
        unjoined = [worker for worker in left if worker.later != "alive"]
        if unjoined:
            return _unjoined(run, unjoined)
        if left:
            return not_told_to_stop(run, left)
        if run.start_method == "forkserver" and any(worker.born == "forkserver" for worker in workers):
            return not_here("no worker was alive; zombies cannot be seen under forkserver, where the server reaps them")
        return PASSED

    return Check(
        name="no_leftovers",
        title="no child process is left, alive or as a zombie",
        concern=Concern.CLEANUP,
        hint="join() every Process that you start()",
        judge=judge,
    )


def _idle_ones(run: Run) -> Verdict:
    """Nobody knows which processes with nothing to do were workers: those stay alive that nobody tells to end."""
    processes = others_of(run)
    alive = [process for process in processes if process.later == "alive"]
    if alive:
        words = f"{len(alive)} process{'es' * (len(alive) > 1)} outlived {run.call}, although there was no task to run"
        said = failed(words, symptom=HELPER, **listed(alive, lambda _: "alive"))
        return undecided(words, "ended_by_sentinel", said, explained=ALIVE)
    zombies = [process for process in processes if process.later == "zombie"]
    if not zombies:
        return PASSED
    what = f"{len(zombies)} process{'es were zombies' if len(zombies) > 1 else ' was a zombie'}"
    return failed(f"{what} when {run.call} returned", symptom=UNJOINED, **listed(zombies, lambda _: "zombie"))


def _unjoined(run: Run, workers: list[ProcessSeen]) -> Verdict:
    zombies = sum(worker.at_return == "zombie" for worker in workers)
    total = len(workers_of(run))
    if zombies == len(workers):
        what = f"{zombies} of {total} workers were zombies"
    else:
        what = f"{len(workers)} of {total} workers were not joined"
    return failed(f"{what} when {run.function} returned", symptom=UNJOINED, **listed(workers, _state))


def _state(worker: ProcessSeen) -> str:
    if worker.at_return == "zombie":
        return "exited, never joined (zombie)"
    return "still running at the return, never joined"


def nothing_else_left(*, idle: bool = False, row: Run | None = None) -> Check:
    """After the return, garbage collected: no thread, pipe, semaphore or shared memory of the call is left.

    *row*: the last of many calls in one process, for what a library makes once for all of them.
    """

    def judge(run: Run) -> Verdict:
        wrong = _unjudged(run, Concern.CLEANUP, idle=idle)
        return wrong or _residue(run, f"{run.call} had returned", once=run, row=row)

    return Check(
        name="nothing_else_left",
        title="no thread, pipe, semaphore or shared memory is left",
        concern=Concern.CLEANUP,
        hint="keep no queue, pool or manager in a global variable; close() what you open and unlink() shared memory",
        judge=judge,
    )


def _residue(run: Run, when: str, *, once: Run | None, row: Run | None) -> Verdict:
    stuck = [process for process in workers_of(run) if process.later == "alive"]
    if stuck:
        return not_told_to_stop(run, stuck)
    return residue(run, when, once=once, row=row)


def residue(run: Run, when: str, *, once: Run | None = None, row: Run | None = None) -> Verdict:
    """Judge what is left other than processes after *run*: *once*, one call, or a *row* of them in one process."""
    if not run.trace.observer.startswith(("ptrace", "proc")):
        return not_here(f"threads, pipes and semaphores cannot be seen here (observer: {run.trace.observer})")
    left = run.trace.leftovers
    if not left:
        return PASSED
    counted = ", ".join(f"{count} x {kind}" for kind, count in sorted(_counts(run).items()))
    if once is not None and row is not None and _is_helper(once, row):
        return replace(PASSED, message=f"{counted} of a library, once for all calls, which costs nothing")
    verdict = failed(
        f"left behind when {when} and garbage was collected: {counted}",
        symptom=RESIDUE,
        left=[f"{item.kind} {item.name}" for item in left[:8]],
    )
    if once is not None and run is row and _counts(row) <= _counts(once):
        return undecided(
            "what is left is left by one call too, and is no more after many", "nothing_else_left", verdict
        )
    return verdict


def _counts(run: Run) -> Counter[str]:
    return Counter(item.kind for item in run.trace.leftovers)


def _is_helper(once: Run, row: Run) -> bool:
    """Tell whether what is left is what a library keeps for itself: the monitor of a progress bar, and its lock.

    It is no more after many calls than after one, and none of its threads has come from the submission's code.
    """
    left = (*once.trace.leftovers, *row.trace.leftovers)
    if row.ending is not Ending.RETURNED or any(item.own or item.kind not in _OF_HELPERS for item in left):
        return False
    return _counts(row) <= _counts(once)


def nothing_accumulates(times: int, once: Run | None = None) -> Check:
    """After *times* calls in a row nothing has piled up: no processes, pipes, threads or semaphores.

    *once*: a call in a process of its own, for what a library makes once for all of them.
    """

    def judge(run: Run) -> Verdict:
        verdict = _unjudged(run, Concern.CLEANUP)
        if verdict is not None:
            return verdict
        alive = [process for process in others_of(run) if process.later == "alive"]
        stuck = [worker for worker in workers_of(run) if worker.later == "alive"]
        if stuck:
            return not_told_to_stop(run, stuck)
        if alive:
            return failed(
                f"{len(alive)} processes that ran no task were left after {times} calls",
                symptom=HELPER,
                **listed(alive, lambda _: "alive"),
            )
        zombies = [process for process in run.trace.processes if process.later == "zombie"]
        if len(zombies) >= times:
            return failed(
                f"{len(zombies)} zombies had piled up after {times} calls",
                symptom=UNJOINED,
                **listed(zombies[:8], lambda _: "zombie"),
            )
        return _residue(run, f"{times} calls of {run.function} had returned", once=once, row=run)

    return Check(
        name="nothing_accumulates",
        title=f"nothing accumulates over {times} calls",
        concern=Concern.CLEANUP,
        hint="join() and close() in every call what that call has started and opened",
        judge=judge,
    )
