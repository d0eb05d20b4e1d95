"""The folder that holds the files of one run.

The folder belongs to the grader. Student code may write to three places in it: `scratch` (its
current, home and temporary folder), `box` (the request and the answers) and the file `stacks`.
Student code reports at gates through a socket in `gates`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class RunFolder:
    """Where the files of one run are."""

    path: str

    @classmethod
    def make(cls, path: str) -> RunFolder:
        """Lay out an empty folder."""
        folder = cls(path=path)
        os.chmod(path, 0o711)  # noqa: S103 - a spare user has to get through, and sees no names
        for name in (folder.scratch, folder.box):
            os.mkdir(name)
            os.chmod(name, 0o710)  # noqa: S103 - see Confinement
        os.mkdir(folder.gates, 0o755)
        os.chmod(folder.gates, 0o755)  # noqa: S103 - whatever the umask
        with open(folder.stacks, "ab"):
            os.chmod(folder.stacks, 0o666)  # noqa: S103 - written by whoever is asked for its stack
        return folder

    @property
    def scratch(self) -> str:
        """Current, home and temporary folder of student code."""
        return os.path.join(self.path, "scratch")

    @property
    def box(self) -> str:
        """Request and answers."""
        return os.path.join(self.path, "box")

    @property
    def gates(self) -> str:
        """Folder of the gate socket."""
        return os.path.join(self.path, "gates")

    @property
    def executed(self) -> str:
        """The notebook with its outputs, as far as it was executed."""
        return os.path.join(self.path, "executed.json")

    @property
    def stacks(self) -> str:
        """File that faulthandler writes to."""
        return os.path.join(self.path, "stacks")
