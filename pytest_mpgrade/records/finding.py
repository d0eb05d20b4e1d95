"""The verdict of a check on a run, and its place in a grading; part of the records."""

from __future__ import annotations

from dataclasses import dataclass, field

from pytest_mpgrade.records.instead import Evidence, Instead
from pytest_mpgrade.records.outcomes import Concern, Outcome


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The verdict of one check on one run."""

    check: str
    title: str
    concern: Concern
    outcome: Outcome
    message: str = ""
    hint: str = ""
    evidence: Evidence = field(default_factory=dict)
    run: str = ""  # key of the run that it is about
    call: str = ""
    function: str = ""
    symptom: str = ""  # of the run; one symptom is blamed on one concern only
    credit: float = 0.0  # FAILED: the part of its points that is earned all the same
    # SKIPPED: the check whose failure left this one undecided; it is not earned
    undecided_by: str = ""
    # SKIPPED, ABSENT: what the check says where no such failure explains it
    instead: Instead | None = None
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A finding in its place: which test, which question of which criterion."""

    id: str
    criterion: str
    question: str
    start_method: str
    finding: Finding
    variant: str = ""
