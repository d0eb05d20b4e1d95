"""What a pattern finds in a run that went wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pytest_mpgrade.records import Run


@dataclass(frozen=True, kw_only=True)
class Cause:
    """What a run shows of why it went wrong."""

    name: str
    said: str = ""  # added to the message
    hint: str = ""  # "" where there is nothing to advise
    first: bool = False  # it explains more than any hint of the check's own
    # evidence: the student's own line, where it says so
    source: dict[str, Any] = field(default_factory=dict)
    # it says all there is to say: no message and no evidence of the check's own
    alone: bool = False


Pattern = Callable[[Run], "Cause | None"]
