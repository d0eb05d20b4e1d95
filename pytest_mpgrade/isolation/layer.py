"""A layer of isolation: what it is made of on this machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pytest_mpgrade.isolation.readable import View

Level = Literal["none", "uid", "namespace", "landlock", "landlock-files"]
"""See `isolation.choose`."""


@dataclass(frozen=True, kw_only=True)
class Isolation:
    """A layer, and what of it this machine has. Goes to the supervisor as JSON."""

    level: Level = "none"
    spare_uid: bool = False
    bwrap: str = ""  # its program
    landlock: int = 0  # ABI; 0: not used
    seccomp: bool = False
    view: View = field(default_factory=View)
    fell_through: tuple[str, ...] = ()  # stronger layers that were tried, and why they are not it

    @property
    def parts(self) -> tuple[str, ...]:
        """Return what it is made of, in words."""
        parts = (
            ("spare uid", self.spare_uid),
            ("namespaces", self.bwrap),
            (f"Landlock ABI {self.landlock}", self.landlock),
            ("seccomp", self.seccomp),
        )
        return tuple(name for name, there in parts if there)
