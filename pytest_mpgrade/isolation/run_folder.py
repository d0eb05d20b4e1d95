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
    """The paths of the files of one run."""

    path: str

    @classmethod
    def make(cls, path: str) -> RunFolder:
        """Lay out an empty folder, and return it."""
        folder = cls(path=path)
        os.chmod(path, 0o711)  # noqa: S103 - a spare user passes through it, and cannot list it
        for name in (folder.scratch, folder.box):
            os.mkdir(name)
            os.chmod(name, 0o710)  # noqa: S103 - the group is the grader's; see Confinement
        os.mkdir(folder.gates, 0o755)
        os.chmod(folder.gates, 0o755)  # noqa: S103 - the umask may have removed some of these rights
        with open(folder.stacks, "ab"):
            os.chmod(folder.stacks, 0o666)  # noqa: S103 - any process of the run may write its stack here
        return folder

    @property
    def scratch(self) -> str:
        """The current, home and temporary folder of student code."""
        return os.path.join(self.path, "scratch")

    @property
    def box(self) -> str:
        """The folder of the request and the answers."""
        return os.path.join(self.path, "box")

    @property
    def gates(self) -> str:
        """The folder of the gate socket."""
        return os.path.join(self.path, "gates")

    @property
    def executed(self) -> str:
        """The notebook with its outputs, as far as it was executed."""
        return os.path.join(self.path, "executed.json")

    @property
    def stacks(self) -> str:
        """The file that faulthandler writes to."""
        return os.path.join(self.path, "stacks")
