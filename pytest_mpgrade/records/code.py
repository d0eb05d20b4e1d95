"""Facts from the syntax of a submission's module; part of the records."""

from __future__ import annotations

from dataclasses import dataclass

CALLED_TARGET = "target="
"""The name of a use: the target of a Process is the result of a call, and not a function."""


def again_in(function: str) -> str:
    """Return the name of a use: a function goes through one of its parameters a second time."""
    return f"{function}() again"


@dataclass(frozen=True, kw_only=True)
class Use:
    """A function that the module calls, by its last name, or one of the names above."""

    name: str
    line: int
    code: str = ""  # the line itself, where it is shown


@dataclass(frozen=True, kw_only=True)
class Code:
    """Facts read without running anything; they explain faults, and decide none."""

    defines: tuple[str, ...] = ()  # names at the top level
    uses: tuple[Use, ...] = ()  # of those that explain faults
    file: str = ""  # the name of its file, as it was handed in

    def use(self, *names: str) -> Use | None:
        """Return the first call of one of these, in the order of the lines."""
        return next((each for each in self.uses if each.name in names), None)
