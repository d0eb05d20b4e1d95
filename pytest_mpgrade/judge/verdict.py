"""The verdict of a check on one run, and functions that make verdicts."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from pytest_mpgrade.judge.symptoms import MADE_UP
from pytest_mpgrade.records import Concern, Outcome, Run


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a check says of a run."""

    outcome: Outcome
    message: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    symptom: str = ""
    undecided_by: str = ""
    hint: str = ""
    credit: float = 0.0  # FAILED: the part of the points that is earned nevertheless
    # the concern that the fault belongs to, where it is not that of the check
    concern: Concern | None = None
    # SKIPPED, ABSENT: the failure that this becomes if no other failure explains it
    otherwise: Verdict | None = None
    explained: str = ""  # the symptom of failures that explain it, if not that of `otherwise`
    shown_by: Run | None = None  # the run that shows the fault, if not the judged one


BY_WORKERS = "hand every task to the worker processes, and call none in the function itself"
"""A hint for tasks that ran in the calling process."""
PASSED = Verdict(outcome=Outcome.PASSED)


def failed(message: str, *, symptom: str = "", hint: str = "", **evidence: object) -> Verdict:
    """Return that the submission is at fault, in the concern of the check."""
    return Verdict(
        outcome=Outcome.FAILED, message=message, symptom=symptom, hint=hint, evidence=evidence
    )


def fault(
    concern: Concern, message: str, *, symptom: str = "", hint: str = "", **evidence: object
) -> Verdict:
    """Return that the submission is at fault, in another concern than that of the check."""
    return replace(failed(message, symptom=symptom, hint=hint, **evidence), concern=concern)


def absent(message: str, otherwise: Verdict | None = None) -> Verdict:
    """Return that the submission did nothing that could be judged.

    *otherwise* is the failure that this becomes if no failure of another check explains it.
    """
    return Verdict(outcome=Outcome.ABSENT, message=message, otherwise=otherwise)


def undecided(
    seen: str,
    by: str,
    otherwise: Verdict | None = None,
    *,
    explained: str = "",
    shown_by: Run | None = None,
) -> Verdict:
    """Return that the failure of another check, named *by*, leaves this one undecided.

    If that check has not failed, this one fails: with *otherwise*, or with what was *seen*, under
    its own concern. *explained* is the symptom of failures that explain this one, where it is not
    that of *otherwise*. *shown_by* is the run that shows the fault, where it is not the one that is
    judged.
    """
    return Verdict(
        outcome=Outcome.SKIPPED,
        message=f"left undecided: {seen}",
        undecided_by=by,
        otherwise=otherwise or failed(seen),
        explained=explained,
        shown_by=shown_by,
    )


def not_tried(run: Run, by: str, otherwise: Verdict) -> Verdict:
    """Return that a call was not made because of an earlier call.

    The check named *by* judges that call, and leaves this one undecided.
    """
    return replace(
        undecided("", by, otherwise, shown_by=run.cause), message=f"not tried: {run.why}"
    )


def not_here(message: str) -> Verdict:
    """Return that this platform, start method or observer does not show what is asked."""
    return Verdict(outcome=Outcome.SKIPPED, message=message)


def inconclusive(message: str) -> Verdict:
    """Return that this machine could not decide."""
    return Verdict(outcome=Outcome.INCONCLUSIVE, message=message)


def by_nobody(run: Run) -> Verdict:
    """Return the failure of a call of which no child process has run a task."""
    words = f"no child process ran a task of {run.call}"
    return fault(Concern.WORKERS, words, symptom="in the caller" if run.in_caller else MADE_UP)
