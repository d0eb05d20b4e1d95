"""The verdict of an undecided check that no failure explains; part of the records."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pytest_mpgrade.records.outcomes import Concern

Evidence = dict[str, Any]
"""What a check shows of a run: JSON, by words."""


def laid_to(check: str, message: str) -> str:
    """Return a message with the lead that another *check* left this one undecided.

    `undecided_by` names that check, too.
    """
    return f"left undecided by {check}: {message}"


@dataclass(frozen=True, kw_only=True)
class Instead:
    """What a check says of the very run that it could not judge.

    The check fails with it, unless the failure of another check explains the run. The run is mostly
    the check's own, else an earlier call on which this one depends.
    """

    concern: Concern
    message: str
    hint: str = ""
    symptom: str = ""
    evidence: Evidence = field(default_factory=dict)
    explained: str = ""  # symptom of the failures that explain it, where that is another
    run: str = ""  # key of the run that shows it
    function: str = ""
    came_back: bool = True
