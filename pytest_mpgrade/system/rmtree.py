"""Removal of folders that student code has written in.

They may be nested more deeply than Python recurses, closed to everybody, or both.
"""

from __future__ import annotations

import glob
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Sequence

from pytest_mpgrade.system.waiting import wait_until

MARK = f"mpgrade-{secrets.token_hex(4)}-"
"""The prefix of all temporary folders of this process.

Where this process is killed, its servers remove folders with this prefix.
"""
REMOVE_SECONDS = 10.0
"""Seconds of attempts to remove folders: supervisors that are ending may still write in them."""


def remove_tree(path: str) -> None:
    """Remove a folder with all that is in it, whatever its names, depth and permissions.

    What cannot be removed stays. `shutil.rmtree` recurses, and stops at a folder that its owner has
    closed to himself; chmod(1) and rm(1) do neither.
    """
    try:
        shutil.rmtree(path)
    except (OSError, RecursionError):
        if not os.path.lexists(path):
            return
        # Also where somebody else has removed something in it meanwhile, as a supervisor does that
        # is ending.
        for command in (("chmod", "-R", "u+rwx"), ("rm", "-rf")):
            if program := shutil.which(command[0]):
                subprocess.run(
                    [program, *command[1:], "--", path],
                    stdin=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    check=False,
                )


def remove_all(mark: str) -> None:
    """Remove the folders whose paths begin with *mark*; others may be doing so too."""

    def removed() -> bool:
        leftovers = glob.glob(f"{glob.escape(mark)}*")
        for path in leftovers:
            remove_tree(path)
        return not leftovers

    wait_until(removed, REMOVE_SECONDS, 0.05)


def sizes(folders: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield the bytes that each file and folder below these folders takes up, and its depth.

    Depths count from 1 on. It does not recurse, as `os.walk` does before Python 3.12. It does not
    see what lies in a closed folder.
    """
    todo = [(folder, 1) for folder in folders]
    while todo:
        folder, depth = todo.pop()
        try:
            entries = os.scandir(folder)
        except OSError:
            continue
        with entries:
            for entry in entries:
                try:
                    yield entry.stat(follow_symlinks=False).st_blocks * 512, depth
                    if entry.is_dir(follow_symlinks=False):
                        todo.append((entry.path, depth + 1))
                except OSError:
                    continue
