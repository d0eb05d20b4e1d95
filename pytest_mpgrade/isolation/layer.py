"""A layer of isolation, and which mechanisms it uses on this machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pytest_mpgrade.isolation.readable import View

Level = Literal["none", "uid", "namespace", "landlock", "landlock-files"]
"""See `isolation.choose`."""


@dataclass(frozen=True, kw_only=True)
class Isolation:
    """A layer, and the mechanisms that it uses on this machine; the supervisor gets it as JSON."""

    level: Level = "none"
    spare_uid: bool = False
    bwrap: str = ""  # path of its program; "": not used
    landlock: int = 0  # ABI; 0: not used
    seccomp: bool = False
    view: View = field(default_factory=View)
    fell_through: tuple[str, ...] = ()  # stronger layers, each with the reason against it

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of the mechanisms that the layer uses."""
        parts = (
            ("spare uid", self.spare_uid),
            ("namespaces", self.bwrap),
            (f"Landlock ABI {self.landlock}", self.landlock),
            ("seccomp", self.seccomp),
        )
        return tuple(name for name, there in parts if there)
