"""Checks of a call that runs each task in a process of its own, and returns their exit codes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from pytest_mpgrade.inside import plain_data
from pytest_mpgrade.judge.attribution import not_returned, somewhere_else
from pytest_mpgrade.judge.check import PASSED, Verdict, absent, failed, fault, not_here, undecided
from pytest_mpgrade.judge.checks.rendezvous import blamed, no_gates, pids_at_gates
from pytest_mpgrade.judge.checks.shutdown import started_by, unjoined, unjudged
from pytest_mpgrade.judge.definition import check
from pytest_mpgrade.judge.failure_text import not_back, raised
from pytest_mpgrade.judge.symptoms import MADE_UP, RESIDUE, UNJOINED
from pytest_mpgrade.records import Concern, Ending, GateEvent, Plain, Run
from pytest_mpgrade.tasks import Workload

_CODES = "exit codes"
"""The symptom of wrong exit codes."""
_IN_CALLER = "in the caller"
_SHARED = "shared process"
_OWN_PROCESS = "start one Process for each tuple of arguments, with the function as its target"
_ALL_FIRST = "start() all processes in one loop, and join() them in a second one"
_LIKE_OTHERS = "a child process that fails has an exit code like any other: raise nothing for it"
"""Hints."""


def _not_apart(run: Run, plain: Run | None = None) -> Verdict | None:
    """Return `absent` where tasks have no exit codes of their own; else None.

    They ran in the calling process, or processes of *plain*, a call of tasks that return, ran
    several tasks.
    """
    if run.in_caller:
        words = f"{run.call} ran tasks in the calling process"
        said = fault(Concern.WORKERS, words, symptom=_IN_CALLER)
    elif plain is not None and len(_pids(plain)) < len(_came(plain)):
        words = f"{plain.call} ran several tasks in one process"
        said = fault(Concern.WORKERS, words, symptom=_SHARED)
    else:
        return None
    return absent(f"{words} (see one_process_each)", said)


def _came(run: Run) -> list[GateEvent]:
    return [event for event in run.trace.events if event.kind in ("note", "gate")]


def _pids(run: Run) -> set[int]:
    return {event.pid for event in _came(run)}


@check(title="each task runs in a child process of its own", concern=Concern.WORKERS, of_tasks=True)
def one_process_each(run: Run, workload: Workload) -> Verdict:
    """Each task ran in a child process of its own, for which the kernel vouches.

    The check needs a run of *workload*. It fails when the caller ran a task, when one process ran
    several, and when the call returned although no process had run a task. It blames `exit_codes`
    when some task was never run, or was run twice. A call that did not come back is left to the
    check that it belongs to.
    """
    came = _came(run)
    if run.in_caller:
        words = f"a task of {run.call} ran in the calling process"
        return failed(words, symptom=_IN_CALLER, hint=_OWN_PROCESS)
    wrong = not_returned(run, Concern.WORKERS)
    if wrong is not None:
        return wrong
    if not came:
        words = f"{run.call} returned, and no process had run a task"
        return failed(words, symptom=MADE_UP, hint=_OWN_PROCESS)
    ran, handed_out = Counter(event.key for event in came), Counter(workload.keys)
    if ran != handed_out:
        key = next(iter((handed_out - ran) + (ran - handed_out)))
        times = ran[key]
        words = f"task {workload.keys.index(key)} was run {times} times, not once"
        said = fault(Concern.RESULTS, words, symptom=_CODES)
        return undecided(words, "exit_codes", said)
    pids = _pids(run)
    if len(pids) < len(came):
        return failed(
            f"{len(pids)} process{'es' * (len(pids) > 1)} ran {len(came)} tasks; one process for"
            " each was asked for",
            symptom=_SHARED,
            hint=_OWN_PROCESS,
            pids=sorted(pids),
        )
    return PASSED


@check(
    title="all child processes are started before any is joined",
    concern=Concern.CONCURRENCY,
    hint=_ALL_FIRST,
    of_tasks=True,
)
def all_started_first(run: Run, plain: Run | None = None) -> Verdict:
    """All child processes are inside their tasks at the same time: each was started while the
    others ran.

    *plain*: a call of tasks that return.

    The check needs a run in which every task stands at a gate until all of them do (a gate script
    `records.Rendezvous` of as many processes as tasks). It fails when all processes were waiting
    and fewer had ever been inside a task together. It is absent when tasks ran in the calling
    process, when none ran at all, and when processes of *plain* ran several. It is inconclusive
    when the grader's own processes could not meet here either.

    It blames `exit_codes` when the call returned while tasks were held, and `one_process_each` when
    there were fewer processes than tasks. A call that failed before a task ran is left to the check
    that it belongs to, or to `values_in_any_order`.
    """
    unjudged_yet = _not_apart(run, plain) or no_gates(run)
    gates = run.trace.gates
    if unjudged_yet is not None or gates is None:
        return unjudged_yet or PASSED
    if not pids_at_gates(run):
        words = f"no process ran a task of {run.call}"
        return absent(
            f"{words} (see one_process_each)", fault(Concern.WORKERS, words, symptom=MADE_UP)
        )
    if gates.met:
        return PASSED
    if gates.early:
        seen = f"{run.call} returned while child processes were held"
        return undecided(seen, "exit_codes", fault(Concern.RESULTS, seen, symptom=_CODES))
    came = pids_at_gates(run)
    if run.ending is Ending.RETURNED and len(came) < gates.wanted:
        words = f"{len(came)} processes ran {gates.wanted} tasks"
        said = fault(Concern.WORKERS, words, symptom=_SHARED)
        return undecided(words, "one_process_each", said)
    return blamed(
        run,
        f"only {gates.most_inside} of {gates.wanted} child processes were ever there together: the"
        " next was not started before one had ended",
        "no overlap",
    )


@check(title="returns the exit codes of all child processes", concern=Concern.RESULTS)
def exit_codes(
    run: Run,
    expected: Sequence[int],
    concern: Concern = Concern.RESULTS,
    *,
    failing: bool = False,
    plain: Run | None = None,
) -> Verdict:
    """The call returns a list with one exit code for each tuple of arguments, in any order.

    *failing*: some of the child processes raise, or are killed; *plain*: a call of tasks that
    return.

    The check needs a run whose child processes end with *expected*. It fails when the call returned
    something else. It is absent when tasks ran in the calling process, and when processes of
    *plain* ran several. With *failing* it blames
    `outlives_failures` when the call did not return. A call that did not come back is left to the
    check that it belongs to; with the concern `edge` it fails here.
    """
    wrong = _not_apart(run, plain)
    if wrong is None and failing and run.ending is not Ending.RETURNED:
        wrong = _not_outlived(run)
    wrong = wrong or not_returned(run, concern, owns_all=concern is Concern.EDGE)
    if wrong is not None:
        return wrong
    codes = _codes(run)
    if codes is None or Counter(map(str, codes)) != Counter(map(str, _encoded(expected))):
        return _other_codes(run, expected)
    return PASSED


def _other_codes(run: Run, expected: Sequence[int]) -> Verdict:
    codes, want = _codes(run), _encoded(expected)
    words = f"{run.call} returned {plain_data.shown(run.encoded)}"
    if codes is not None and len(codes) == len(want):
        place = next((i for i, code in enumerate(codes) if code != want[i]), 0)
        words = (
            f"exit code {place} is {plain_data.shown(codes[place])}, and the child process ended"
            f" with {expected[place]}: {words}"
        )
    hint = "join() each Process, and return its exitcode as it is"
    return failed(f"{words}, expected {list(expected)}", symptom=_CODES, hint=hint)


@check(
    title="the exit codes are in the order of the tuples of arguments",
    concern=Concern.ORDERING,
    hint="keep the processes in a list, and take the exit codes in its order",
)
def exit_codes_in_order(run: Run, expected: Sequence[int], plain: Run | None = None) -> Verdict:
    """The exit codes are in the order in which the arguments were given.

    *plain*: a call of tasks that return.

    The check needs a run whose child processes end with *expected*, in another order. It fails when
    all exit codes are there, in another order. It is absent when tasks ran in the calling process,
    and when processes of *plain* ran several. It blames `exit_codes` when others were returned, and
    `outlives_failures` when the call did not return.
    """
    wrong = _not_apart(run, plain) or _not_outlived(run)
    if wrong is not None:
        return wrong
    codes, want = _codes(run), _encoded(expected)
    if codes == want:
        return PASSED
    if codes is None or Counter(map(str, codes)) != Counter(map(str, want)):
        said = _other_codes(run, expected)
        return undecided("the exit codes are others", "exit_codes", said)
    return failed(
        f"{run.call} returned {plain_data.shown(run.encoded)}, expected {list(expected)}",
        symptom="order of exit codes",
    )


@check(
    title="child processes that raise or are killed are waited for like others",
    concern=Concern.FAILURE,
)
def outlives_failures(run: Run, plain: Run | None = None) -> Verdict:
    """Child processes raise, exit, and are killed: the call returns all the same.

    *plain*: a call of tasks that return.

    The check needs a run with child processes that end so. It fails when the call raised, or did
    not come back. It is absent when tasks ran in the calling process, and when processes of *plain*
    ran several. It blames no other check.
    """
    wrong = _not_apart(run, plain)
    if wrong is not None or run.ending is Ending.RETURNED:
        return wrong or PASSED
    wrong = somewhere_else(run)
    if wrong is not None:
        return wrong
    if run.ending is Ending.RAISED:
        return replace(raised(run), hint=_LIKE_OTHERS)
    return not_back(run)


def _not_outlived(run: Run) -> Verdict | None:
    if run.ending is Ending.RETURNED:
        return None
    seen = f"{run.call} did not return, with child processes that raise or are killed"
    verdict = raised(run) if run.ending is Ending.RAISED else not_back(run)
    said = fault(Concern.FAILURE, verdict.message, symptom=verdict.symptom, **verdict.evidence)
    return somewhere_else(run) or undecided(seen, "outlives_failures", said)


@check(title="every Process is closed", concern=Concern.CLEANUP, hint="close() each joined Process")
def closes_processes(run: Run, plain: Run) -> Verdict:
    """Every Process object is closed: it has let go of its pipes although somebody still holds it.

    *plain*: a call whose Process objects nobody else holds.

    The check needs a run with ``keeps_processes=True``. It fails when Process objects have kept
    their pipes. It is absent when no child process was started. It is skipped when the platform
    does not show pipes.

    It blames `no_leftovers` when processes were not joined, and `nothing_else_left` when *plain*
    has left pipes as well. A call that did not come back is left to the check that it belongs to.
    """
    wrong = _not_apart(run, plain) or unjudged(run, Concern.CLEANUP)
    if wrong is not None:
        return wrong
    if not run.trace.observer.startswith(("ptrace", "proc")):
        return not_here(f"pipes cannot be seen here (observer: {run.trace.observer})")
    pipes = sum(item.kind == "pipe" for item in run.trace.leftovers)
    if not pipes:
        return PASSED
    remaining = [each for each in started_by(run) if each.at_return != "gone"]
    if remaining:
        seen = "a Process that was not joined keeps its pipes"
        return undecided(seen, "no_leftovers", unjoined(run, remaining), explained=UNJOINED)
    words = f"the Process objects of {run.call} have kept {pipes} pipes: they were not closed"
    if any(item.kind == "pipe" for item in plain.trace.leftovers):
        said = failed(words, symptom=RESIDUE)
        return undecided("other pipes are left, too", "nothing_else_left", said)
    return failed(words, symptom="not closed")


def _codes(run: Run) -> list[Plain] | None:
    """Return the exit codes as plain data; None where none were returned."""
    if isinstance(run.encoded, list) and run.encoded[:1] in (["list"], ["tuple"]):
        return list(run.encoded[1])
    return None


def _encoded(expected: Sequence[int]) -> list[Plain]:
    return [plain_data.encode(code) for code in expected]
