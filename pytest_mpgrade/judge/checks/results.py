"""Checks of what came back, and of who computed it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pytest_mpgrade.inside import plain_data
from pytest_mpgrade.judge.attribution import not_returned
from pytest_mpgrade.judge.causes.returned import came_back
from pytest_mpgrade.judge.check import PASSED, Verdict, failed, undecided
from pytest_mpgrade.judge.definition import check
from pytest_mpgrade.judge.failure_text import not_back
from pytest_mpgrade.judge.symptoms import DIRECT
from pytest_mpgrade.judge.tracebacks import by_call
from pytest_mpgrade.records import Concern, Ending, Outcome, Run
from pytest_mpgrade.tasks import Workload

WAIT_ON = "do not give up on the results after a time-out while workers are still busy"
"""A hint for a call that gives up on a late result."""
ANEW = (
    "make new lists and queues in every call: a default argument, a global variable or an attribute"
    " of a function keeps what earlier calls have put there"
)
"""A hint for a call that returns results of earlier calls."""
_OWNERS = frozenset((Concern.EDGE, Concern.DEADLOCK, Concern.FAILURE))
"""Concerns whose runs provoke one thing: everything that goes wrong in them is theirs."""


@check(title="returns the result of every task, each once", hint="{hint}", of_tasks=True)
def values_in_any_order(
    run: Run,
    workload: Workload,
    concern: Concern = Concern.RESULTS,
    *,
    hint: str = "",  # noqa: ARG001 - the decorator reads it
    after: Sequence[Workload] = (),
) -> Verdict:
    """One result per task, in any order, each of the right type and value, and each task run once.

    *after*: what was asked of the same process before, and must not turn up again.

    The check needs a run of *workload*. It fails when the call returned no list, when results are
    missing or were not expected, when a task was run more than once, and when the call raised. A
    call that did not come back is left to the check that it belongs to; with the concern `edge`,
    `deadlock` or `failure` it fails here.
    """
    earlier = [result for other in after for result in other.expected]
    wrong = not_returned(run, concern, owns_all=concern in _OWNERS)
    return wrong or compare(run, _expected(run, workload), workload.keys, earlier)


@check(title="a list comes back that has results of the tasks in it", of_tasks=True)
def gives_results(run: Run, workload: Workload, concern: Concern = Concern.RESULTS) -> Verdict:
    """A list comes back in which at least half of the tasks' results are, whatever else is wrong
    with it.

    The check needs a run of *workload*. It fails when the call returned no list, or one with fewer
    results. A call that did not come back is left to the check that it belongs to.
    """
    wrong = not_returned(run, concern)
    if wrong is not None or not workload.keys:
        return wrong or PASSED
    if not isinstance(run.encoded, list) or run.encoded[0] != "list":
        return compare(run, workload.expected, workload.keys)
    want, got = (
        Counter(map(json.dumps, workload.expected)),
        Counter(map(json.dumps, run.encoded[1])),
    )
    if 2 * sum((want & got).values()) >= len(workload.keys):
        return PASSED
    return compare(run, workload.expected, workload.keys)


@check(
    title="returns the results in the order of the tasks",
    hint="send (index, result) through the queue and sort by index",
    of_tasks=True,
)
def values_in_order(run: Run, workload: Workload, concern: Concern = Concern.ORDERING) -> Verdict:
    """The results, in the order of the tasks.

    The check needs a run of *workload*. It fails when all results are there, in another order. It
    blames `values_in_any_order` when the values are wrong. A call that did not come back is left to
    the check that it belongs to.
    """
    wrong = not_returned(run, concern) or compare(run, workload.expected, workload.keys)
    if wrong is not PASSED:
        if wrong.undecided_by:
            return wrong
        return undecided(
            "the values are wrong", "values_in_any_order", replace(wrong, concern=Concern.RESULTS)
        )
    got = run.encoded[1]
    place = next(
        (i for i, (a, b) in enumerate(zip(got, workload.expected, strict=True)) if a != b), None
    )
    if place is None:
        return PASSED
    return failed(
        f"result {place} is {plain_data.shown(got[place])}, but task {place} returns "
        f"{plain_data.shown(workload.expected[place])}",
        symptom="order of results",
    )


def _expected(run: Run, workload: Workload) -> Sequence[object]:
    """Return the results that the tasks should have.

    Where the grader gave processes at gates a number to return, each result contains that number.
    """
    if not workload.vouched:
        return workload.expected
    given = {event.key: event.token for event in run.trace.events if event.kind == "gate"}
    return [["tuple", [["int", key], ["str", given.get(key, "not run")]]] for key in workload.keys]


def compare(
    run: Run, expected: Sequence[object], keys: Sequence[str], earlier: Sequence[object] = ()
) -> Verdict:
    """Compare the returned list with what was expected, as multisets of plain data.

    *earlier* has the results of earlier calls in the same process.
    """
    if not isinstance(run.encoded, list) or run.encoded[0] != "list":
        return failed(f"{run.call} returned {came_back(run)}, not a list", symptom="values")
    want, got = Counter(map(json.dumps, expected)), Counter(map(json.dumps, run.encoded[1]))
    missing, extra = list((want - got).elements()), list((got - want).elements())
    if missing or extra:
        words = _difference(run, missing, extra, len(expected), _vouched(expected, keys))
        old = set(map(json.dumps, earlier)).intersection(extra)
        if old:
            return failed(
                f"{words}: results of an earlier call in the same process",
                symptom="values",
                hint=ANEW,
            )
        return failed(words, symptom="values")
    ran = Counter(event.key for event in run.trace.events if event.kind in ("note", "gate"))
    handed_out = Counter(keys)
    twice = [key for key in keys if ran[key] > handed_out[key]]
    if twice:
        times = ran[twice[0]] - handed_out[twice[0]] + 1
        return failed(f"task {keys.index(twice[0])} was run {times} times", symptom="values")
    return PASSED


def _vouched(expected: Sequence[object], keys: Sequence[str]) -> dict[str, str]:
    """Return how to name results that contain a number of the grader's: by their tasks."""
    return {
        json.dumps(result): f"task {place}'s"
        for place, (result, key) in enumerate(zip(expected, keys, strict=False))
        if isinstance(result, list)
        and result[:1] == ["tuple"]
        and result[1][:1] == [["int", key]]
        and [part[0] for part in result[1]] == ["int", "str"]
    }


def _difference(
    run: Run, missing: list[str], extra: list[str], expected: int, names: Mapping[str, str]
) -> str:
    count, asked = len(run.encoded[1]), f"{expected} task{'s' * (expected != 1)}"
    if not count:
        return f"{run.call} returned an empty list for {asked}"
    words = f"{run.call} returned {count} result{'s' * (count != 1)} for {asked}"
    if missing:
        words += f"; {_some(missing, names)} {'is' if len(missing) == 1 else 'are'} missing"
    if extra:
        words += f"; {_some(extra, names)} {'was' if len(extra) == 1 else 'were'} not expected"
    return words


def _some(items: list[str], names: Mapping[str, str]) -> str:
    shown = ", ".join(
        names.get(item) or plain_data.shown(json.loads(item), 40) for item in items[:3]
    )
    return shown + (f" and {len(items) - 3} more" if len(items) > 3 else "")


@check(title="returns the right value", hint="{hint}")
def returns_value(
    run: Run,
    expected: object,
    concern: Concern = Concern.RESULTS,
    *,
    hint: str = "",  # noqa: ARG001 - the decorator reads it
) -> Verdict:
    """The function returns exactly this value; *hint*: for one that returns another.

    The check needs a run of a function that returns *expected*. It fails when the function returned
    another value or type, or raised. A call that did not come back is left to the check that it
    belongs to; with the concern `edge`, `deadlock` or `failure` it fails here.
    """
    want = plain_data.encode(expected)
    wrong = not_returned(run, concern, owns_all=concern in _OWNERS)
    if wrong is not None:
        return replace(wrong, symptom=DIRECT) if wrong.outcome is Outcome.FAILED else wrong
    if run.encoded == want:
        return PASSED
    return failed(
        f"{run.call} returned {plain_data.shown(run.encoded)}, expected {plain_data.shown(want)}",
        symptom=DIRECT,
    )


@check(title="an exception of the function goes through unchanged", hint="{hint}")
def lets_through(
    run: Run,
    message: str,
    concern: Concern = Concern.FAILURE,  # noqa: ARG001 - the decorator reads it
    *,
    hint: str = "",  # noqa: ARG001 - the decorator reads it
) -> Verdict:
    """An exception of the task goes through unchanged: a ValueError with this message; *hint*: for
    another.

    The check needs a run of a function that calls what raises ``ValueError(message)``. It fails
    when the function returned, raised something else, or did not come back. It blames no other
    check.
    """
    if run.ending is Ending.RETURNED:
        words = f"{run.call} returned {plain_data.shown(run.encoded)} although the function raised"
        return failed(words, symptom=DIRECT, hint="let the exception pass: catch none here")
    error = by_call(run)
    if run.ending is not Ending.RAISED or run.error is None or error is None:
        return not_back(run)
    if (run.error.type, run.error.message) == ("ValueError", message):
        return PASSED
    return failed(
        f"the function raised ValueError: {message}; {run.call} raised {error.words[:120]}",
        symptom=DIRECT,
        hint="let the exception pass: catch none here",
    )


@check(title="a result that comes late is waited for", concern=Concern.RESULTS, of_tasks=True)
def late_result_arrives(run: Run, workload: Workload) -> Verdict:
    """A task that takes seconds longer than all others is not dropped.

    The check needs a run of *workload*, which is `tasks.held_last(…)`. It fails when the call
    returned while the task was still running, or returned other results. A call that did not come
    back is left to the check that it belongs to.
    """
    verdict = not_returned(run, Concern.RESULTS)
    if verdict is not None:
        return verdict
    gates = run.trace.gates
    if gates is not None and gates.early:
        seen = f"{run.call} returned while a task was still running"
        return failed(seen, symptom="values", hint=WAIT_ON)
    return compare(run, workload.expected, workload.keys)
