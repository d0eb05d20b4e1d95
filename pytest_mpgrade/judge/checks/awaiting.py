"""Checks of a coroutine function that runs a task: what awaiting it gives, and what it holds up."""

from __future__ import annotations

from typing import Any

from pytest_mpgrade.inside import plain_data
from pytest_mpgrade.judge.attribution import at_import, not_returned, somewhere_else
from pytest_mpgrade.judge.check import (
    ENDED,
    PASSED,
    Verdict,
    absent,
    failed,
    fault,
    inconclusive,
    not_here,
    undecided,
)
from pytest_mpgrade.judge.checks.leftovers import residue
from pytest_mpgrade.judge.checks.results import returns_value
from pytest_mpgrade.judge.checks.shutdown import listed
from pytest_mpgrade.judge.definition import check
from pytest_mpgrade.judge.failure_text import not_back
from pytest_mpgrade.judge.symptoms import ALIVE, BLOCKED_LOOP, DIRECT, UNJOINED
from pytest_mpgrade.judge.tracebacks import by_call
from pytest_mpgrade.records import Concern, Ending, GateReport, Role, Run

FREE_SECONDS = 0.2
"""Seconds for which a coroutine may keep the event loop waiting each time; as a poll may."""
_OWNERS = frozenset((Concern.EDGE, Concern.DEADLOCK, Concern.FAILURE))
"""Concerns whose runs provoke one thing: everything that goes wrong in them is theirs."""
_IN_A_THREAD = (
    "await something that runs elsewhere, such as asyncio.to_thread(func, …) or"
    " loop.run_in_executor(executor, func, …): nothing between two awaits may wait"
)
"""A hint for a coroutine that waits by itself."""


@check(
    title="{function} is a coroutine function",
    concern=Concern.IMPORT,
    hint="define it by `async def`",
)
def is_coroutine_function(run: Run, function: str) -> Verdict:
    """A call of the function gives a coroutine, and nothing begins before that is awaited.

    The check needs a call that is never awaited: ``steps.call(…, awaited="never")``. It fails when
    the call returned something else, or a task was begun. It blames `imports_cleanly` when the
    module starts processes as it is imported. A call that did not come back is left to the check
    that it belongs to.
    """
    if run.import_children:
        return at_import()
    begun = any(event.kind in ("note", "gate") for event in run.trace.events)
    if run.ending is Ending.RETURNED and run.encoded == ["str", "coroutine"] and not begun:
        return PASSED
    if run.ending is Ending.RETURNED and run.encoded == ["str", "coroutine"]:
        return failed(
            f"{function}() began the task although nobody awaited it", symptom=BLOCKED_LOOP
        )
    if run.ending is Ending.RETURNED:
        return failed(
            f"{function}() returned an object of the type {plain_data.shown(run.encoded)}, not a"
            " coroutine",
            symptom="no coroutine",
        )
    return not_returned(run, Concern.IMPORT, owns_all=True) or PASSED


@check(title="awaiting it gives the right value", hint="{hint}")
def awaits_value(
    run: Run, expected: object, concern: Concern = Concern.RESULTS, *, hint: str = ""
) -> Verdict:
    """Awaiting the call gives exactly this value; *hint*: for a call that gives another.

    The check needs a run of a coroutine function that returns *expected*, or of `steps.gather` with
    a list of what each call returns. It fails when the call returned another value or type, or
    raised. It blames `is_coroutine_function` when what the function returned cannot be awaited. A
    call that did not come back is left to the check that it belongs to; with the concern `edge`,
    `deadlock` or `failure` it fails here.
    """
    return somewhere_else(run) or returns_value(expected, concern, hint=hint).judge(run)


@check(
    title="the event loop goes on while the task runs",
    concern=Concern.NONBLOCKING,
    hint=_IN_A_THREAD,
)
def keeps_loop_free(run: Run) -> Verdict:
    """While the task is held, the event loop that awaits it turns.

    The check needs a run with the gate script `steps.HeldTasks`. The grader asks the loop three
    times whether it turns, while the tasks are held: a loop that is blocked until a task is done
    can never answer, and the tree is quiescent. The check fails then, and when the loop slept for
    more than 0.2 s each time before it answered. It is absent when no task was held: the call came
    back before. It is skipped when the loop was slow to answer, and the platform does not show
    whether it slept.

    It blames `is_coroutine_function` when what the function returned cannot be awaited. A call that
    did not come back is left to the check that it belongs to.
    """
    elsewhere = somewhere_else(run)
    if elsewhere is not None:
        return elsewhere
    gates = run.trace.gates
    if gates is not None and gates.blocked:
        return _blocked(run)
    if gates is not None and gates.turns and min(gates.turns) > FREE_SECONDS:
        return _sluggish(run, min(gates.turns))
    if run.ending is not Ending.RETURNED:
        return not_returned(run, Concern.NONBLOCKING) or PASSED
    if gates is None or not gates.turns:
        return absent(f"{run.call} came back before its task had begun (see awaits_value)")
    return PASSED


def _blocked(run: Run) -> Verdict:
    return failed(
        f"{run.call} blocked the event loop: while its task was held no other coroutine could run",
        symptom=BLOCKED_LOOP,
        **_place(run),
    )


def _sluggish(run: Run, seconds: float) -> Verdict:
    if not run.trace.observer.startswith(("ptrace", "proc")):
        seen = f"the event loop answered after {seconds:.1f} s"
        return not_here(f"{seen}; whether it slept cannot be seen (observer: {run.trace.observer})")
    return failed(
        f"{run.call} blocks the event loop again and again: another coroutine had to wait for"
        f" {seconds:.1f} s each time",
        symptom=BLOCKED_LOOP,
        **_place(run),
    )


def _place(run: Run) -> dict[str, Any]:
    """Return as evidence where the loop was seen to wait, and what asyncio's debug mode says."""
    slow = [
        f"a callback took {line.rpartition(_TOOK)[2]}"
        for line in run.stderr.splitlines()
        if line.startswith(_SLOW) and _TOOK in line
    ][:2]
    seen = [look for look in run.trace.looks if look.role is Role.PARENT and look.code]
    evidence: dict[str, Any] = {"asyncio": slow} if slow else {}
    if seen:
        most = max(seen, key=lambda look: look.times)
        place = {"file": most.file.rpartition("/")[2], "line": most.line, "code": most.code}
        evidence["source"] = place
    return evidence


_SLOW, _TOOK = "Executing <", " took "
"""What asyncio writes, in debug mode, of a callback that took long (base_events.py)."""


def held_up(run: Run) -> Verdict | None:
    """Return that `keeps_loop_free` fails for it; None where the loop was not blocked."""
    gates = run.trace.gates
    if gates is None or not gates.blocked:
        return None
    seen = f"{run.call} blocked the event loop"
    said = fault(Concern.NONBLOCKING, seen, symptom=BLOCKED_LOOP)
    return undecided(seen, "keeps_loop_free", said)


@check(
    title="tasks that are awaited together run at the same time",
    concern=Concern.CONCURRENCY,
    hint="let no lock, and no executor with fewer workers, make one call wait for another",
)
def run_together(run: Run) -> Verdict:
    """All tasks that are awaited together stand at their gates at the same time.

    The check needs a run of `steps.gather` with the gate script `steps.HeldTasks`. It fails when
    fewer tasks ran at the same time. It is absent when no task was held. It is inconclusive when
    the grader's own processes could not meet at their gates either.

    It blames `keeps_loop_free` when the event loop was blocked, and `is_coroutine_function` when
    what the function returned cannot be awaited. A call that did not come back is left to the check
    that it belongs to.
    """
    gates = run.trace.gates
    if gates is not None and gates.met:
        return PASSED
    return somewhere_else(run) or held_up(run) or _apart(run, gates)


def _apart(run: Run, gates: GateReport | None) -> Verdict:
    if gates is None or not gates.most_inside:
        words = f"{run.call} ran no task (see awaits_value)"
        return not_returned(run, Concern.CONCURRENCY) or absent(words)
    words = (
        f"of {gates.wanted} tasks that were awaited together only {gates.most_inside} ran at the"
        " same time"
    )
    if run.control is False:
        return inconclusive(f"{words}, but this machine was too busy for the grader's own, too")
    return failed(words, symptom="no overlap")


_FUTURES = tuple(
    ["object", name]
    for name in (
        "_asyncio.Future",
        "_asyncio.Task",
        "builtins.coroutine",
        "concurrent.futures._base.Future",
    )
)
"""Return values that stand for a result that nobody has awaited, as plain data."""


@check(title="an exception of the task comes through", concern=Concern.FAILURE)
def exception_comes_through(run: Run, kind: str, message: str) -> Verdict:
    """Awaiting a task that raises raises its exception: one of the type *kind*, with this message.

    The check needs a run of a task that raises it. It fails when the call returned, raised
    something else, or did not come back. It blames `is_coroutine_function` when what the function
    returned cannot be awaited, and `awaits_value` when awaiting it gave a future.
    """
    elsewhere = somewhere_else(run)
    if elsewhere is not None:
        return elsewhere
    if run.encoded in _FUTURES:
        seen = f"{run.call} returned a future, and nobody awaited that"
        said = fault(Concern.RESULTS, seen, symptom=DIRECT)
        return undecided(seen, "awaits_value", said)
    if run.ending is Ending.RETURNED:
        return failed(
            f"the task raised {kind}, but {run.call} returned {plain_data.shown(run.encoded)}",
            symptom="swallowed",
            hint="let the exception pass: what is awaited raises it",
        )
    error = by_call(run)
    if run.ending is not Ending.RAISED or run.error is None or error is None:
        return not_back(run)
    if (run.error.type, run.error.message) == (kind, message):
        return PASSED
    return failed(
        f"the task raised {kind}: {message}; {run.call} raised {error.words[:120]}",
        symptom="another exception",
        hint="raise the exception of the task itself, not another one that tells of it",
    )


_HINTS: dict[bool, str] = {
    False: "join() each Process, and shut down each executor, before you return; not in the loop",
    True: "end what the task runs in also when the call is cancelled: in a `finally` block",
}
"""What to do about processes that are left, by whether the call was cancelled."""


def _hint(cancelled: bool) -> str:
    return _HINTS[cancelled]


@check(
    title=lambda cancelled: (
        f"nothing is left behind{' when the call is cancelled' if cancelled else ''}"
    ),
    concern=Concern.CLEANUP,
    hint=_hint,
)
def leaves_nothing(run: Run, *, cancelled: bool = False) -> Verdict:
    """Once the event loop has ended, no process, thread, pipe or semaphore of the call is left.

    What is still ending gets 2 s. *cancelled*: the call was to be cancelled while its task is held;
    a hang then fails here.

    The check needs a run of a coroutine function. It fails when something is left. It is skipped
    when the platform does not show what is left.

    It blames `keeps_loop_free` when a blocked event loop could not cancel the call, and
    `is_coroutine_function` when what the function returned cannot be awaited. A call that did not
    come back is left to the check that it belongs to.
    """
    elsewhere = (held_up(run) if cancelled else None) or somewhere_else(run)
    if elsewhere is not None:
        return elsewhere
    if run.ending not in ENDED:
        return not_returned(run, Concern.CLEANUP, owns_all=cancelled) or PASSED
    left = [each for each in run.trace.processes if not each.helper and each.later != "gone"]
    if not left:
        return residue(run, f"the event loop of {run.call} had ended")
    alive = [each for each in left if each.later == "alive"]
    words = "still alive 2 s after" if alive else "never joined: a zombie after"
    return failed(
        f"{len(alive or left)} child process{'es were' if len(alive or left) > 1 else ' was'}"
        f" {words} {run.call}",
        symptom=ALIVE if alive else UNJOINED,
        **listed(left, lambda process: process.later),
    )
