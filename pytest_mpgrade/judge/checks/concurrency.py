"""Checks on a run of `tasks.rendezvous`: who works, how many together, and who takes the next task.

A GateReport says what the gatekeeper observed, and these checks judge it. Each fault has one
concern. A missing worker is `workers`. Workers that exist and do not overlap, and a task that is
promised to a busy worker, are `concurrency`. A later task that is taken before an earlier one,
which was promised to nobody, is `ordering`.
"""

from __future__ import annotations

from collections import Counter

from pytest_mpgrade.judge.check import PASSED, Verdict, absent, failed, fault, undecided
from pytest_mpgrade.judge.checks.rendezvous import (
    blamed,
    fewer_there,
    in_caller,
    no_crew,
    no_gates,
    not_met,
    pids_at_gates,
    too_few,
)
from pytest_mpgrade.judge.checks.shutdown import returned_early
from pytest_mpgrade.judge.definition import check
from pytest_mpgrade.judge.verdict import BY_WORKERS, by_nobody
from pytest_mpgrade.records import Concern, GateReport, Run
from pytest_mpgrade.tasks import Workload


@check(
    title="exactly {n} child processes do the work, none of it is done in the caller",
    concern=Concern.WORKERS,
    hint="start n_processes worker processes, no more and no fewer",
    of_tasks=True,
)
def workers(run: Run, n: int, *, renewed: bool = False) -> Verdict:
    """Exactly *n* different child processes take tasks, and the caller takes none.

    *renewed*: a worker that has done its share may end, and another take its place.

    The check needs a run of `tasks.rendezvous(n)`. It fails when the caller ran a task, when more
    or fewer processes than *n* took tasks, and when a result does not come from the process that
    stood at its task's gate. It is absent when the call ran no task at all. It is inconclusive when
    too few processes came, and the grader's own processes could not meet here either.

    It blames `values_in_any_order` when the call failed before it had run a task, or returned while
    tasks were held.
    """
    unjudged = no_gates(run)
    if unjudged is not None or run.trace.gates is None:
        return unjudged or PASSED
    gates, pids = run.trace.gates, pids_at_gates(run)
    wrong = _not_by_children(run, pids) or _too_many(gates, pids, n, renewed=renewed)
    if wrong is not None:
        return wrong
    if not gates.met and gates.early:
        return returned_early(run)
    if not gates.met and fewer_there(run, gates):
        return blamed(run, f"only {len(pids)} of {n} workers ever ran a task", "too few workers")
    return PASSED


def _not_by_children(run: Run, pids: set[int]) -> Verdict | None:
    """Return a verdict where the caller ran tasks, or no process did; else None."""
    forged = _forged(run)
    if forged:
        return failed(forged, symptom="in the caller")
    mine = in_caller(run)
    if mine:
        what = "every task" if not pids else f"{len(mine)} of the tasks"
        words = f"{what} ran in the process that called {run.function}"
        return failed(words, symptom="in the caller", hint=BY_WORKERS, tasks=mine[:5])
    if not pids:
        return absent(f"{run.call} ran no task", by_nobody(run))
    return None


def _too_many(gates: GateReport, pids: set[int], n: int, *, renewed: bool) -> Verdict | None:
    """Return the failure where more than *n* processes took tasks; else None."""
    if len(gates.crew) > n:
        return failed(
            f"{len(gates.crew)} processes were inside a task together; {n} were asked for",
            symptom="too many workers",
            pids=sorted(gates.crew),
        )
    strangers = [
        step.arrived_pid
        for step in gates.steps
        if step.arrived_pid and step.arrived_pid not in gates.crew
    ]
    if gates.met and strangers and not renewed:
        return failed(
            f"a process beyond the first {n} took a task ({len(pids)} processes ran tasks in all)",
            symptom="too many workers",
            hint=(
                "let each worker take task after task until it gets 'STOP', instead of one process"
                " per task"
            ),
            pids=sorted(pids),
        )
    return None


def _forged(run: Run) -> str:
    """Return which result does not come from the process at the gate of its task; "" for none.

    The grader gives each process at a gate a number, and its result has to contain that number
    (`tasks.rendezvous`).
    """
    given = {
        (event.key, event.token)
        for event in run.trace.events
        if event.kind == "gate" and event.token
    }
    keys = {key for key, _ in given}
    results = (
        run.encoded[1] if isinstance(run.encoded, list) and run.encoded[:1] == ["list"] else []
    )
    for result in results:
        if (
            isinstance(result, list)
            and result[:1] == ["tuple"]
            and [part[0] for part in result[1]] == ["int", "str"]
        ):
            key, token = (str(part[1]) for part in result[1])
            if key in keys and (key, token) not in given:
                return (
                    f"the result of task {key} was not made by the process that told the grader"
                    " of it"
                )
    return ""


@check(
    title="the workers run tasks at the same time",
    concern=Concern.CONCURRENCY,
    hint="start() all workers before you join() any, and hold no lock while a task runs",
    of_tasks=True,
)
def met(run: Run) -> Verdict:
    """As many different processes as were asked for are inside a task at the same time.

    The check needs a run of `tasks.rendezvous(n)`. It fails when all processes were waiting and
    fewer than *n* of them had ever been inside a task together. It is absent when no task ran in a
    child process. It is inconclusive when the grader's own processes could not meet here either.

    It blames `workers` when too few processes were there to meet, and `values_in_any_order` when
    the call failed before it had run a task, or returned while tasks were held.
    """
    verdict = no_crew(run)
    if verdict is not None or run.trace.gates is None:
        return verdict or PASSED
    gates = run.trace.gates
    if gates.met:
        return PASSED
    if gates.early:
        return returned_early(run)
    if fewer_there(run, gates):
        return too_few(run, gates)
    return blamed(
        run,
        f"only {gates.most_inside} of {gates.wanted} workers were ever inside a task together; "
        "all your processes were waiting when the grader gave up",
        "no overlap",
    )


@check(
    title="a free worker takes the next waiting task",
    concern=Concern.CONCURRENCY,
    hint=(
        "let all workers take from one shared queue; do not deal the tasks out beforehand or in"
        " rounds"
    ),
    of_tasks=True,
)
def free_worker_takes_next(run: Run) -> Verdict:
    """While the first task is held, the workers that are free do all the others: none is promised
    to a busy one.

    The check needs a run of `tasks.rendezvous(n)`. It fails when tasks were waiting, a worker was
    free, and it did not take one. It is absent when no task ran in a child process. It is
    inconclusive when the grader's own processes could not meet here either.

    It blames `workers` when too few processes were there, `met` when the workers never were inside
    a task together, and `values_in_any_order` when the call failed before it had run a task, or
    returned while tasks were held.
    """
    verdict = not_met(run)
    if verdict is not None or run.trace.gates is None:
        return verdict or PASSED
    gates = run.trace.gates
    promised = _promised(run, gates)
    if not promised:
        return PASSED
    return blamed(run, _promise_words(gates, promised), "promised")


def _promised(run: Run, gates: GateReport) -> list[str]:
    """Return the tasks that no free worker took, and that ran only after all gates were opened."""
    came = {
        event.key
        for event in run.trace.events
        if event.kind == "gate" and event.pid != run.trace.caller
    }
    return [key for key in gates.waiting if key in came]


def _promise_words(gates: GateReport, promised: list[str]) -> str:
    """Say how many tasks were promised to a busy worker."""
    last = gates.steps[-1] if gates.steps else None
    if last is not None and last.arrived is None:
        return (
            "the first task was held; the worker that had finished another task got none, "
            f"while {len(promised)} were waiting"
        )
    return (
        f"the first task was held and all other workers were free, but {len(promised)} tasks waited"
        " for its worker"
    )


@check(
    title="the tasks are taken first in, first out",
    concern=Concern.ORDERING,
    hint="put the tasks on the queue in the order in which you got them",
    of_tasks=True,
)
def first_in_first_out(run: Run, workload: Workload) -> Verdict:
    """Workers take the tasks in the order of submission.

    The check needs a run of *workload*, which is `tasks.rendezvous(n)`. It fails when a later task
    was taken before an earlier one. It is absent when no task ran in a child process.

    It blames `workers` when too few processes were there, `met` when the workers never were inside
    a task together, `free_worker_takes_next` when tasks were dealt out beforehand, and
    `values_in_any_order` when a task was run twice, or the call failed before it had run one, or
    returned while tasks were held.
    """
    position = {key: place for place, key in enumerate(workload.keys)}
    verdict = not_met(run)
    if verdict is not None or run.trace.gates is None:
        return verdict or PASSED
    gates = run.trace.gates
    count = Counter(event.key for event in run.trace.events if event.kind == "gate")
    if any(times > 1 for times in count.values()):
        words = "a task was run more than once"
        return undecided(
            words, "values_in_any_order", fault(Concern.RESULTS, words, symptom="values")
        )
    if _promised(run, gates):
        said = fault(
            Concern.CONCURRENCY, _promise_words(gates, _promised(run, gates)), symptom="promised"
        )
        return undecided("tasks were dealt out beforehand", "free_worker_takes_next", said)
    return _in_order(run, gates, position)


def _in_order(run: Run, gates: GateReport, position: dict[str, int]) -> Verdict:
    """Judge whether tasks were taken in the order of submission."""
    taken = set(in_caller(run))
    expected = sorted((key for key in position if key not in taken), key=lambda key: position[key])[
        : len(gates.first)
    ]
    if set(gates.first) != set(expected):
        places = ", ".join(str(position.get(key, "?")) for key in gates.first)
        return failed(
            f"the first tasks to be taken were number {places}; tasks count from 0",
            symptom="order of tasks",
        )
    for step in gates.steps:
        if step.arrived is not None and step.arrived != step.expected:
            return failed(
                f"the worker that finished task {position.get(step.opened, '?')} got task"
                f" {position.get(step.arrived, '?')} while task {position.get(step.expected, '?')}"
                " was waiting",
                symptom="order of tasks",
            )
    return PASSED
