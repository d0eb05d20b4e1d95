"""What a pattern returns for a run that went wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pytest_mpgrade.records import Run


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Why a run went wrong, as far as the run shows it."""

    name: str
    said: str = ""  # added to the message
    hint: str = ""  # "" where there is nothing to advise
    first: bool = False  # its hint takes the place of the check's own, since it explains more
    # evidence: the line of the submission that is the cause, where one is known
    source: dict[str, Any] = field(default_factory=dict)
    # its message and evidence take the place of the check's own
    alone: bool = False


Pattern = Callable[[Run], "Cause | None"]
"""A function that looks for one cause in a run; it returns None where the run does not show it."""
