"""Checks of what `bg_get` says while a task runs, and of whether it waits for it."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_mpgrade.inside import plain_data
from pytest_mpgrade.judge.attribution import not_returned
from pytest_mpgrade.judge.check import PASSED, Verdict, failed
from pytest_mpgrade.judge.checks.background import OWN_QUEUES, let_go, not_held_then, waited
from pytest_mpgrade.judge.definition import check
from pytest_mpgrade.judge.failure_text import raised
from pytest_mpgrade.records import Concern, Ending, Run


@check(title="says {message!r} and returns None while the task is running", concern=Concern.RESULTS)
def still_running(
    run: Run, message: str, started: Run, *, others: Sequence[object] = ()
) -> Verdict:
    """Asked before the task that *started* began is done, `bg_get` returns None and prints that it
    is still running.

    *others*: results of other tasks, as plain data, that are done by then.

    The check needs a run of ``bg_get(block=False)`` while the task is held. It fails when the call
    returned a value, did not print *message*, or raised; with *others*, also when it waits for
    another task. It is absent when the task did not run in a child process. It is inconclusive when
    the time limit came and a call had not waited long.

    It blames `returns_at_once` when the call, or *started*, waited for the task. When *started*
    raised, that is left to the check that it belongs to.
    """
    not_held = not_held_then(started, run)
    if not_held is not None:
        return not_held
    if run.ending is Ending.RAISED:
        return raised(run)
    other = _another(run, others) or _held_on(run)
    if other is not None:
        return other
    if run.encoded != ["none"]:
        return failed(
            f"{run.call} returned {plain_data.shown(run.encoded)} before the task was done, not"
            " None",
            symptom="values",
            hint="return None while there is no result",
        )
    if message not in run.printed:
        return failed(
            f"{run.call} did not print {message!r} while the task was running; it printed"
            f" {run.printed[:80]!r}",
            symptom="message",
            hint=f"print({message!r}) when the result is not there yet",
        )
    return PASSED


def _another(run: Run, others: Sequence[object]) -> Verdict | None:
    """Return a verdict where the call took the result of another task, or waits for it.

    None where it did neither.
    """
    if others and run.ending is not Ending.RETURNED:
        return not_returned(run, Concern.RESULTS, owns_all=True)
    if run.encoded not in others:
        return None
    words = (
        f"{run.call} returned {plain_data.shown(run.encoded)}, which is the result of another task"
    )
    return failed(words, symptom="values", hint=OWN_QUEUES)


def _held_on(run: Run) -> Verdict | None:
    """Return a verdict where the call waited for its own task; else None."""
    return waited(run) if run.ending is not Ending.RETURNED else let_go(run)


@check(
    title="block=True waits for the result",
    concern=Concern.NONBLOCKING,
    hint="when block is true, get() the result and wait as long as it takes",
)
def waits_when_asked(run: Run, started: Run) -> Verdict:
    """With ``block=True`` the call still waits while the task is held, and comes back when it is
    done.

    The check needs a run of ``bg_get(block=True)`` while the task that *started* began is held. It
    fails when the call came back while the task was still running. It is absent when the task did
    not run in a child process. It is inconclusive when *started* was not back as the time limit
    came, and had not waited long.

    It blames `returns_at_once` when *started* waited for the task. A call that did not come back is
    left to the check that it belongs to.
    """
    not_held = not_held_then(started, run)
    if not_held is not None:
        return not_held
    if run.ending is Ending.RAISED:
        return not_returned(run, Concern.NONBLOCKING) or PASSED
    gates = run.trace.gates
    if gates is not None and gates.early:
        return failed(
            f"{run.call} came back with {plain_data.shown(run.encoded)} while the task was still"
            " running",
            symptom="does not block",
        )
    if run.ending is not Ending.RETURNED:
        return not_returned(run, Concern.NONBLOCKING) or PASSED
    return PASSED
