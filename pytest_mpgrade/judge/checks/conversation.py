"""Checks of a function that serves a connection until it receives None."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pytest_mpgrade.inside import plain_data
from pytest_mpgrade.judge.check import PASSED, Verdict, failed, undecided
from pytest_mpgrade.judge.definition import check
from pytest_mpgrade.judge.failure_text import not_back, raised
from pytest_mpgrade.records import Concern, Ending, Plain, Run

_IGNORED = "sentinel ignored"
"""The symptom of a server that goes on after None."""
_LEAVE = "leave the loop as soon as what was received is None; 0 is a number like any other"
"""A hint."""


@check(
    title="each number that is received is answered",
    concern=Concern.RESULTS,
    hint="send one answer for each number that you receive: 0 is one, too",
)
def answers_each(run: Run, expected: Sequence[object]) -> Verdict:
    """A function that is given one end of a pipe answers each message, in order.

    The check needs a run that was given `steps.PipeEnd`, with None at its end. It fails when the
    answers are not *expected*, and when the function raised before it had answered all messages. It
    blames `obeys_none` when the function went on after None, or did not come back.
    """
    want = [plain_data.encode(each) for each in expected]
    heard = _answers(run)
    if run.ending not in (Ending.RETURNED, Ending.RAISED):
        return undecided(f"{run.call} did not come back", "obeys_none", _not_ended(run))
    if heard[: len(want)] == want:
        return PASSED
    if run.ending is Ending.RAISED:
        return raised(run)
    return failed(
        f"{run.call} answered {plain_data.shown(['list', heard])}, expected"
        f" {plain_data.shown(['list', want])}",
        symptom="answers",
    )


@check(title="None ends the conversation", concern=Concern.SENTINEL, hint=_LEAVE)
def obeys_none(run: Run, answers: int) -> Verdict:
    """A function that is given one end of a pipe returns when it receives None, after so many
    *answers*.

    The check needs a run that was given `steps.PipeEnd`, with None, and something more behind it.
    It fails when the function did not come back, when it raised after the last answer, and when it
    answered what came after None. It blames `answers_each` when it raised before.
    """
    heard = _answers(run)
    if run.ending is Ending.RAISED and len(heard) < answers:
        return undecided(f"{run.call} raised", "answers_each", raised(run))
    if run.ending is Ending.RAISED:
        return replace(raised(run, " when it had received the sentinel"), symptom=_IGNORED)
    if run.ending is not Ending.RETURNED:
        return _not_ended(run)
    if len(heard) > answers:
        return failed(f"{run.call} answered what came after the sentinel", symptom=_IGNORED)
    return PASSED


@check(
    title="the connection is closed",
    concern=Concern.CLEANUP,
    hint="close() the connection after the loop",
)
def closes_connection(run: Run) -> Verdict:
    """A function that was given one end of a pipe has closed it when it returns.

    The check needs a run that was given `steps.PipeEnd`. It fails when that end was still open. It
    blames `obeys_none` when the function did not return.
    """
    if run.ending is not Ending.RETURNED:
        said = raised(run) if run.ending is Ending.RAISED else _not_ended(run)
        return undecided(
            f"{run.call} did not return", "obeys_none", replace(said, concern=Concern.SENTINEL)
        )
    if _heard(run)[1:] == [["bool", True]]:
        return PASSED
    return failed(f"{run.call} returned, and had not closed the connection", symptom="not closed")


def _not_ended(run: Run) -> Verdict:
    """Return the failure of a function that waits for more after None."""
    return replace(not_back(run), concern=Concern.SENTINEL, symptom=_IGNORED, hint=_LEAVE)


def _heard(run: Run) -> list[Plain]:
    """Return what was heard at the other end: the answers, and whether it was closed."""
    queues = run.facts.queues
    return list(queues[0][1]) if queues else []


def _answers(run: Run) -> list[Plain]:
    heard = _heard(run)
    return list(heard[0][1]) if heard else []
