"""A line of what the doctor says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Facility:
    """One thing that was looked for; what is missing says what follows from that, and what
    helps.
    """

    name: str
    found: str = ""  # "" where it is missing
    consequence: str = ""
    remedy: str = ""
    needed: bool = False  # nothing can be graded without it

    @property
    def text(self) -> str:
        """The row in words."""
        if self.found:
            return f"{self.name}: {self.found}"
        return "; ".join(filter(None, [f"{self.name}: {self.consequence}", self.remedy]))
