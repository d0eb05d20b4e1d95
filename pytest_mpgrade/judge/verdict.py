"""What a check says of a run, and how it says it."""

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
    credit: float = 0.0  # FAILED: the part of the points that is earned all the same
    # another than the check's, where what was seen is a matter of that
    concern: Concern | None = None
    # SKIPPED, ABSENT: the failure that this is where no other check's explains it
    otherwise: Verdict | None = None
    explained: str = ""  # the symptom of failures that do, where it is not that of `otherwise`
    shown_by: Run | None = None  # the run that shows it, where it is not the one that is judged


BY_WORKERS = "hand every task to the worker processes, and call none in the function itself"
"""A hint for tasks that ran in the calling process."""
PASSED = Verdict(outcome=Outcome.PASSED)


def failed(message: str, *, symptom: str = "", hint: str = "", **evidence: object) -> Verdict:
    """The submission is at fault."""
    return Verdict(
        outcome=Outcome.FAILED, message=message, symptom=symptom, hint=hint, evidence=evidence
    )


def fault(
    concern: Concern, message: str, *, symptom: str = "", hint: str = "", **evidence: object
) -> Verdict:
    """The submission is at fault in another concern than the check's."""
    return replace(failed(message, symptom=symptom, hint=hint, **evidence), concern=concern)


def absent(message: str, otherwise: Verdict | None = None) -> Verdict:
    """The submission did nothing that could be judged; *otherwise*: the failure that this is where
    nothing says why.
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
    """The failure of another check, named *by*, leaves this one undecided.

    Where that has not failed, this one does: *otherwise*, or with what was *seen*, under its own
    concern. *explained*: the symptom of failures that explain it elsewhere; *shown_by*: the run
    that shows it, where that is another.
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
    """A call was not made because of an earlier one, of which the check named *by* says why: that
    is left undecided.
    """
    return replace(
        undecided("", by, otherwise, shown_by=run.cause), message=f"not tried: {run.why}"
    )


def not_here(message: str) -> Verdict:
    """This platform, start method or observer cannot show it."""
    return Verdict(outcome=Outcome.SKIPPED, message=message)


def inconclusive(message: str) -> Verdict:
    """This machine could not decide."""
    return Verdict(outcome=Outcome.INCONCLUSIVE, message=message)


def by_nobody(run: Run) -> Verdict:
    """Return the failure of a call whose tasks no child process has run."""
    words = f"no child process ran a task of {run.call}"
    return fault(Concern.WORKERS, words, symptom="in the caller" if run.in_caller else MADE_UP)
