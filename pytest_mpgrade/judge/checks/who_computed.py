"""Checks of who computed the results: child processes, and as many as were asked for."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

from pytest_mpgrade.judge.attribution import not_returned, returned_nothing
from pytest_mpgrade.judge.check import PASSED, Verdict, absent, failed, fault, undecided
from pytest_mpgrade.judge.checks.results import compare
from pytest_mpgrade.judge.definition import check
from pytest_mpgrade.judge.symptoms import MADE_UP
from pytest_mpgrade.judge.verdict import BY_WORKERS
from pytest_mpgrade.records import Concern, Ending, Run
from pytest_mpgrade.tasks import Workload


def _in_how_many(n: int | None) -> str:
    most = "" if n is None else f"at most {n} "
    return f"the work is done in {most}child processes, none of it in the caller"


@check(
    title=_in_how_many,
    concern=Concern.WORKERS,
    hint=(
        "start n_processes Process objects once, and let each take tasks from the queue until"
        " 'STOP'"
    ),
    of_tasks=True,
)
def in_children(
    run: Run, workload: Workload, n: int | None = None, row: Sequence[tuple[Run, Workload]] = ()
) -> Verdict:
    """Each task ran in a child process that the kernel vouches for, and in at most *n* different
    ones (None: any).

    *row*: the calls of the same process; where one returns wrong values, those of another were not
    made up.

    The check needs a run of *workload*. It fails when the caller ran a task, when more than *n*
    processes ran tasks, and when the call returned results of tasks that no process had run. It is
    absent when no task was run and no result returned.

    It blames `values_in_any_order` when some of the tasks were not run, an empty list came back, or
    calls of the *row* return the results of others. A call that did not come back is left to the
    check that it belongs to.
    """
    wrong = not_returned(run, Concern.WORKERS)
    if wrong is not None:
        return wrong
    caller = run.trace.caller
    who = {event.key: event.pid for event in run.trace.events if event.kind in ("note", "gate")}
    inside = [i for i, key in enumerate(workload.keys) if who.get(key) == caller]
    if inside:
        return failed(
            _in_caller(inside, len(workload.keys), run), symptom="in the caller", hint=BY_WORKERS
        )
    pids = set(who.values())
    if n is not None and len(pids) > n:
        return failed(
            f"{len(pids)} processes ran tasks; {n} were asked for",
            symptom="too many workers",
            pids=sorted(pids),
        )
    return returned_nothing(run) or _not_run(run, workload, row)


def _not_run(run: Run, workload: Workload, row: Sequence[tuple[Run, Workload]]) -> Verdict:
    """Judge the tasks that no process ran: their results are made up, or are missing."""
    ran = Counter(event.key for event in run.trace.events if event.kind in ("note", "gate"))
    handed_out = Counter(workload.keys)
    lost = sum((handed_out - ran).values())
    if not lost:
        return PASSED
    results = (
        run.encoded[1] if isinstance(run.encoded, list) and run.encoded[:1] == ["list"] else []
    )
    right = sum(
        (Counter(map(json.dumps, workload.expected)) & Counter(map(json.dumps, results))).values()
    )
    made_up = right - (len(workload.keys) - lost)
    if made_up > 0:
        return _made_up(run, made_up, row)
    which = next(place for place, key in enumerate(workload.keys) if ran[key] < handed_out[key])
    words = (
        f"task {which} was not run by {run.call}"
        if ran
        else f"none of the tasks was run by {run.call}"
    )
    said = fault(Concern.RESULTS, words, symptom="values")
    return undecided(words, "values_in_any_order", said) if ran else absent(words, said)


def _made_up(run: Run, count: int, row: Sequence[tuple[Run, Workload]]) -> Verdict:
    """Judge right results of tasks that no process ran: the submission made them up.

    Where calls of the *row* mix up their results, `values_in_any_order` fails for that.
    """
    results_of = f"the result{'s' * (count != 1)} of {count} task{'s' * (count != 1)}"
    verdict = failed(
        f"{run.call} returned {results_of} that no process had run",
        symptom=MADE_UP,
        hint=(
            "let worker processes run every task, also where there are few, or its result seems"
            " known already"
        ),
    )
    mixed = any(
        other.ending is Ending.RETURNED
        and compare(other, asked.expected, asked.keys).symptom == "values"
        for other, asked in row
    )
    seen = "calls return the results of others"
    return undecided(seen, "values_in_any_order", verdict, explained="values") if mixed else verdict


@check(
    title="the calling process computes nothing itself",
    concern=Concern.WORKERS,
    hint="let the child process compute, and only send and receive in the calling one",
)
def none_in_caller(run: Run) -> Verdict:
    """What is to be computed is not computed in the calling process.

    The check needs a run of values that report who computes with them, such as those of
    `tasks.work.Number`. It fails when the calling process did. Where nobody reports anything, it
    passes. A call that did not come back is left to the check that it belongs to.
    """
    if any(event.pid == run.trace.caller for event in run.trace.events):
        words = f"{run.call} computed in the process that called it"
        return failed(words, symptom="in the caller")
    return not_returned(run, Concern.WORKERS) or PASSED


def _in_caller(places: list[int], total: int, run: Run) -> str:
    what = "every task" if len(places) == total else f"task {places[0]}"
    return f"{what} ran in the process that called {run.function}"
