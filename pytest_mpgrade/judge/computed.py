"""Checks of who computed the results: child processes, and as many as were asked for."""

from __future__ import annotations

import json
from collections import Counter

from pytest_mpgrade.judge.check import PASSED, Check, Verdict, absent, failed, fault, undecided
from pytest_mpgrade.judge.returned import not_returned
from pytest_mpgrade.records import Concern, Run
from pytest_mpgrade.tasks import Workload

MADE_UP = "made up"
"""The symptom of results of tasks that no process has run."""


def in_children(workload: Workload, n: int | None = None) -> Check:
    """Each task ran in a child process that the kernel vouches for, and in at most *n* different ones (None: any)."""

    def judge(run: Run) -> Verdict:
        wrong = not_returned(run, Concern.WORKERS)
        if wrong is not None:
            return wrong
        caller = run.trace.caller
        who = {event.key: event.pid for event in run.trace.events if event.kind in ("note", "gate")}
        inside = [i for i, key in enumerate(workload.keys) if who.get(key) == caller]
        if inside:
            return failed(_in_caller(inside, len(workload.keys), run), symptom="in the caller")
        pids = set(who.values())
        if n is not None and len(pids) > n:
            return failed(
                f"{len(pids)} processes ran tasks; {n} were asked for", symptom="too many workers", pids=sorted(pids)
            )
        return _not_run(run, workload)

    return Check(
        name="in_children",
        title=f"the work is done in {'' if n is None else f'at most {n} '}child processes, none of it in the caller",
        concern=Concern.WORKERS,
        hint="start n_processes Process objects once, and let each take tasks from the queue until 'STOP'",
        judge=judge,
    )


def _not_run(run: Run, workload: Workload) -> Verdict:
    """Judge tasks that nobody ran: their results were made up, if they are there, or are missing."""
    ran = Counter(event.key for event in run.trace.events if event.kind in ("note", "gate"))
    handed_out = Counter(workload.keys)
    lost = sum((handed_out - ran).values())
    if not lost:
        return PASSED
    results = run.value[1] if isinstance(run.value, list) and run.value[:1] == ["list"] else []
    right = sum((Counter(map(json.dumps, workload.expected)) & Counter(map(json.dumps, results))).values())
    made_up = right - (len(workload.expected) - lost)
    if made_up > 0:
        results_of = f"the result{'s' * (made_up != 1)} of {made_up} task{'s' * (made_up != 1)}"
        return failed(
            f"{run.call} returned {results_of} that no process had run",
            symptom=MADE_UP,
            hint="let worker processes run every task, also where there are few, or its result seems known already",
        )
    which = next(place for place, key in enumerate(workload.keys) if ran[key] < handed_out[key])
    words = f"task {which} was not run by {run.call}" if ran else f"none of the tasks was run by {run.call}"
    said = fault(Concern.RESULTS, words, symptom="values")
    return undecided(words, "values_in_any_order", said) if ran else absent(words, said)


def _in_caller(places: list[int], total: int, run: Run) -> str:
    what = "every task" if len(places) == total else f"task {places[0]}"
    return f"{what} ran in the process that called {run.function}"


def by_nobody(run: Run) -> Verdict:
    """Return the failure of a call whose tasks no child process has run."""
    words = f"no child process ran a task of {run.call}"
    return fault(Concern.WORKERS, words, symptom="in the caller" if run.in_caller else MADE_UP)
