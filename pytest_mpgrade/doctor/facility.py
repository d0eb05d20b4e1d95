"""One line of the doctor's report."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Facility:
    """A facility that the doctor has tried.

    If it is missing, the row says what follows from that, and what helps.
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
