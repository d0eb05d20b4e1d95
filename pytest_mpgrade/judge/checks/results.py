"""Checks of what came back, and of who computed it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from pytest_mpgrade.inside import plain_data
from pytest_mpgrade.judge.attribution import not_returned, somewhere_else
from pytest_mpgrade.judge.causes.returned import came_back
from pytest_mpgrade.judge.check import PASSED, Check, Verdict, absent, failed, fault, inconclusive, undecided
from pytest_mpgrade.judge.hangs import TELL_THEM, not_back, workers_not_told
from pytest_mpgrade.judge.symptoms import DIRECT
from pytest_mpgrade.judge.tracebacks import by_call
from pytest_mpgrade.judge.verdict import by_nobody
from pytest_mpgrade.records import STILL_READING, Concern, Ending, Outcome, Run
from pytest_mpgrade.tasks import Workload

MUCH_FASTER = 0.1
"""Part of the time that a call was given in which the reference has done the same: no load explains the difference."""
NO_NAPS = "let the parent wait for the next result, in get() or wait(), and do nothing else for each of them"
WAIT_ON = "do not give up on the results after a time-out while workers are still busy"
ANEW = (
    "make new lists and queues in every call: a default argument, a global variable or an attribute of a function "
    "keeps what earlier calls have put there"
)
_OWNERS = frozenset((Concern.EDGE, Concern.DEADLOCK, Concern.FAILURE))
"""Concerns whose runs provoke one thing: whatever goes wrong there is theirs."""


def values_in_any_order(
    workload: Workload, concern: Concern = Concern.RESULTS, *, hint: str = "", after: Sequence[Workload] = ()
) -> Check:
    """One result per task, in any order, each of the right type and value, and each task run once.

    *after*: what was asked of the same process before, and must not turn up again.
    """
    earlier = [result for other in after for result in other.expected]

    def judge(run: Run) -> Verdict:
        wrong = not_returned(run, concern, owns_all=concern in _OWNERS)
        return wrong or compare(run, _expected(run, workload), workload.keys, earlier)

    return Check(
        name="values_in_any_order",
        title="returns the result of every task, each once",
        concern=concern,
        hint=hint,
        judge=judge,
    )


def gives_results(workload: Workload, concern: Concern = Concern.RESULTS) -> Check:
    """A list comes back in which at least half of the tasks' results are, whatever else is wrong with it."""

    def judge(run: Run) -> Verdict:
        wrong = not_returned(run, concern)
        if wrong is not None or not workload.keys:
            return wrong or PASSED
        if not isinstance(run.value, list) or run.value[0] != "list":
            return compare(run, workload.expected, workload.keys)
        want, got = Counter(map(json.dumps, workload.expected)), Counter(map(json.dumps, run.value[1]))
        if 2 * sum((want & got).values()) >= len(workload.keys):
            return PASSED
        return compare(run, workload.expected, workload.keys)

    return Check(
        name="gives_results",
        title="a list comes back that has results of the tasks in it",
        concern=concern,
        judge=judge,
    )


def values_in_order(workload: Workload, concern: Concern = Concern.ORDERING) -> Check:
    """The results, in the order of the tasks."""

    def judge(run: Run) -> Verdict:
        wrong = not_returned(run, concern) or compare(run, workload.expected, workload.keys)
        if wrong is not PASSED:
            if wrong.undecided_by:
                return wrong
            return undecided("the values are wrong", "values_in_any_order", replace(wrong, concern=Concern.RESULTS))
        got = run.value[1]
        place = next((i for i, (a, b) in enumerate(zip(got, workload.expected, strict=True)) if a != b), None)
        if place is None:
            return PASSED
        return failed(
            f"result {place} is {plain_data.shown(got[place])}, but task {place} returns "
            f"{plain_data.shown(workload.expected[place])}",
            symptom="order of results",
        )

    return Check(
        name="values_in_order",
        title="returns the results in the order of the tasks",
        concern=concern,
        hint="send (index, result) through the queue and sort by index",
        judge=judge,
    )


def _expected(run: Run, workload: Workload) -> Sequence[object]:
    """Return what the tasks return; where their processes were given something to show, that as it was given."""
    if not workload.vouched:
        return workload.expected
    given = {event.key: event.token for event in run.trace.events if event.kind == "gate"}
    return [["tuple", [["int", key], ["str", given.get(key, "not run")]]] for key in workload.keys]


def compare(run: Run, expected: Sequence[object], keys: Sequence[str], earlier: Sequence[object] = ()) -> Verdict:
    """Compare the returned list with what was expected, as bags of plain data; *earlier*: results of earlier calls."""
    if not isinstance(run.value, list) or run.value[0] != "list":
        return failed(f"{run.call} returned {came_back(run)}, not a list", symptom="values")
    want, got = Counter(map(json.dumps, expected)), Counter(map(json.dumps, run.value[1]))
    missing, extra = list((want - got).elements()), list((got - want).elements())
    if missing or extra:
        words, old = _difference(run, missing, extra, len(expected)), set(map(json.dumps, earlier)).intersection(extra)
        if old:
            return failed(f"{words}: results of an earlier call in the same process", symptom="values", hint=ANEW)
        return failed(words, symptom="values")
    ran = Counter(event.key for event in run.trace.events if event.kind in ("note", "gate"))
    handed_out = Counter(keys)
    twice = [key for key in keys if ran[key] > handed_out[key]]
    if twice:
        times = ran[twice[0]] - handed_out[twice[0]] + 1
        return failed(f"task {keys.index(twice[0])} was run {times} times", symptom="values")
    return PASSED


def _difference(run: Run, missing: list[str], extra: list[str], expected: int) -> str:
    count, asked = len(run.value[1]), f"{expected} task{'s' * (expected != 1)}"
    if not count:
        return f"{run.call} returned an empty list for {asked}"
    words = f"{run.call} returned {count} result{'s' * (count != 1)} for {asked}"
    if missing:
        words += f"; {_some(missing)} {'is' if len(missing) == 1 else 'are'} missing"
    if extra:
        words += f"; {_some(extra)} {'was' if len(extra) == 1 else 'were'} not expected"
    return words


def _some(items: list[str]) -> str:
    shown = ", ".join(plain_data.shown(json.loads(item), 40) for item in items[:3])
    return shown + (f" and {len(items) - 3} more" if len(items) > 3 else "")


def returns_value(expected: object, concern: Concern = Concern.RESULTS, *, hint: str = "") -> Check:
    """The function returns exactly this value; *hint*: for one that returns another."""
    want = plain_data.encode(expected)

    def judge(run: Run) -> Verdict:
        wrong = not_returned(run, concern, owns_all=concern in _OWNERS)
        if wrong is not None:
            return replace(wrong, symptom=DIRECT) if wrong.outcome is Outcome.FAILED else wrong
        if run.value == want:
            return PASSED
        return failed(
            f"{run.call} returned {plain_data.shown(run.value)}, expected {plain_data.shown(want)}", symptom=DIRECT
        )

    return Check(
        name="returns_value",
        title="returns the right value",
        concern=concern,
        hint=hint,
        judge=judge,
    )


def lets_through(message: str, concern: Concern = Concern.FAILURE, *, hint: str = "") -> Check:
    """An exception of the task goes through unchanged: a ValueError with this message; *hint*: for another."""

    def judge(run: Run) -> Verdict:
        if run.ending is Ending.RETURNED:
            words = f"{run.call} returned {plain_data.shown(run.value)} although the function raised"
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

    return Check(
        name="lets_through",
        title="an exception of the function goes through unchanged",
        concern=concern,
        hint=hint,
        judge=judge,
    )


def comes_back(concern: Concern = Concern.DEADLOCK) -> Check:
    """The call comes back: nobody waits for a lock or a pipe for ever."""

    def judge(run: Run) -> Verdict:
        return not_returned(run, concern) or _by_children(run)

    return Check(
        name="comes_back",
        title="the call comes back",
        concern=concern,
        judge=judge,
    )


def workers_are_told_to_stop() -> Check:
    """The parent does not wait for the end of workers that wait for a task or a sentinel."""

    def judge(run: Run) -> Verdict:
        return not_returned(run, Concern.SENTINEL) or _by_children(run)

    return Check(
        name="workers_are_told_to_stop",
        title="no worker waits for a 'STOP' that never comes",
        concern=Concern.SENTINEL,
        hint=TELL_THEM,
        judge=judge,
    )


def _by_children(run: Run) -> Verdict:
    """What returned has shown something only if a child process ran a task."""
    ran = {event.pid for event in run.trace.events if event.kind in ("note", "gate")}
    if (ran or run.in_caller or run.trace.tasks) and ran <= {run.trace.caller}:
        words = "no child process ran a task, so there was nothing to wait for (see in_children)"
        return absent(words, by_nobody(run))
    return PASSED


def drains(workload: Workload, n: int) -> Check:
    """Large or many results come through; a submission that ran nothing in children shows nothing here."""
    inner = values_in_any_order(workload, Concern.DEADLOCK)

    def judge(run: Run) -> Verdict:
        ran = {event.pid for event in run.trace.events if event.kind == "note"}
        if run.ending in (Ending.TIMED_OUT, Ending.STOPPED) and len(ran) > n:
            words = f"{len(ran)} processes were started for the tasks"
            return undecided(words, "in_children", fault(Concern.WORKERS, words, symptom="too many workers"))
        if run.ending is Ending.TIMED_OUT and _goes_on(run) and 0 < run.theirs <= MUCH_FASTER * run.seconds:
            return _slow(run)
        if run.ending is Ending.TIMED_OUT and _goes_on(run):
            return inconclusive(
                f"{run.call} was still making progress when the time limit came after {run.seconds:.0f} s"
            )
        if workers_not_told(run) and not somewhere_else(run):
            return replace(not_back(run), concern=Concern.SENTINEL, hint=TELL_THEM)
        verdict = inner.judge(run)
        if verdict is PASSED and ran <= {run.trace.caller}:
            words = "no child process ran a task, so there were no results to drain (see in_children)"
            return absent(words, by_nobody(run))
        return verdict

    return Check(
        name="drains",
        title="large and many results come through",
        concern=Concern.DEADLOCK,
        judge=judge,
    )


def _slow(run: Run) -> Verdict:
    words = (
        f"{run.call} was still making progress after {run.seconds:.0f} s; the reference has just needed "
        f"{run.theirs:.1f} s for the same tasks"
    )
    return fault(Concern.SPEEDUP, words, symptom="slow", hint=NO_NAPS)


def _goes_on(run: Run) -> bool:
    """Tell whether tasks were still begun, or results taken in, in the last seconds of a run."""
    return run.why == STILL_READING or (bool(run.trace.events) and run.trace.events[-1].at > run.seconds - 3.0)


def late_result_arrives(workload: Workload) -> Check:
    """A task that takes seconds longer than all others is not dropped."""

    def judge(run: Run) -> Verdict:
        verdict = not_returned(run, Concern.RESULTS)
        if verdict is not None:
            return verdict
        gates = run.trace.gates
        if gates is not None and gates.early:
            seen = f"{run.call} returned while a task was still running"
            return failed(seen, symptom="values", hint=WAIT_ON)
        return compare(run, workload.expected, workload.keys)

    return Check(
        name="late_result_arrives",
        title="a result that comes late is waited for",
        concern=Concern.RESULTS,
        judge=judge,
    )
