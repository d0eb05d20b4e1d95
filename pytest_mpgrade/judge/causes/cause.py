"""What a pattern finds in a run that went wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pytest_mpgrade.records import Run


@dataclass(frozen=True, kw_only=True)
class Cause:
    """What a run shows of why it went wrong."""

    name: str
    said: str = ""  # added to the message
    hint: str = ""  # "" where there is nothing to advise
    first: bool = False  # it explains more than any hint of the check's own


Pattern = Callable[[Run], "Cause | None"]
