"""Which of the files that a process waits at tell of the end of another process, and of whose.

A pidfd does. So does the pipe that multiprocessing makes for each process: only the child has its
other end, which it never writes to. Just behind that pipe, a second one is made that goes the other
way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pytest_mpgrade.system.linux import blocked, procfs

Ends = dict[str, set[int]]


@dataclass(kw_only=True)
class Tree:
    """The processes of one run, and the pipes that they have open."""

    helpers: Mapping[int, str]  # pid -> "" or which helper of Python's it is
    _open: dict[int, dict[int, str]] = field(default_factory=dict)
    _write: dict[int, Ends] = field(default_factory=dict)

    def open(self, pid: int) -> dict[int, str]:
        """Return what the file descriptors of a process refer to."""
        if pid not in self._open:
            with blocked.readable(pid):
                self._open[pid] = procfs.open_files(pid)
        return self._open[pid]

    def write_ends(self, pid: int) -> Ends:
        """Return the pipes that a process can write to, with its file descriptors."""
        if pid not in self._write:
            with blocked.readable(pid):
                self._write[pid] = procfs.pipe_ends(pid)
        return self._write[pid]

    def writers(self, pipe: str) -> list[int]:
        """Return the processes that can write to a pipe."""
        return [pid for pid in self.helpers if pipe in self.write_ends(pid)]


@dataclass(frozen=True, kw_only=True)
class WaitSources:
    """What a process waits at: the ends of processes, and other things."""

    exits: bool
    messages: bool
    pids: tuple[int, ...] = ()  # whose end it is, where that is known


def sources(pid: int, files: Sequence[int], tree: Tree) -> WaitSources:
    """Tell whether these files of a process tell of ends of processes, or of something else, or
    both.
    """
    exits, messages, pids = False, False, []
    for number in files:
        ended = _whose_end(pid, number, tree)
        exits, messages = exits or ended is not None, messages or ended is None
        pids += [ended] if ended else []
    return WaitSources(exits=exits, messages=messages, pids=tuple(pids))


def _whose_end(pid: int, number: int, tree: Tree) -> int | None:
    """Return the process whose end this file tells of, 0 if that is not known; None: it tells of
    something else.
    """
    name = tree.open(pid).get(number, "")
    if name == "anon_inode:[pidfd]":
        with blocked.readable(pid):
            return procfs.of_pidfd(pid, number)
    writers = tree.writers(name) if name.startswith("pipe:") else []
    if len(writers) != 1 or pid in writers:
        return None
    if tree.helpers[writers[0]] == "fork server":
        return _started_with(pid, name, tree)
    return writers[0] if _is_sentinel(pid, name, writers[0], tree) else None


def _is_sentinel(parent: int, pipe: str, child: int, tree: Tree) -> bool:
    """Of the pipes that lead from *child* to *parent*, the sentinel was made just before the one
    that leads back.
    """
    to_parent = _read_only(parent, tree)
    up = {name: ends for name, ends in tree.write_ends(child).items() if name in to_parent}
    down = _read_only(child, tree) & tree.write_ends(parent).keys()
    if any(_inode(back) == _inode(pipe) + 1 for back in down):
        return True
    if any(_inode(back) == _inode(other) + 1 for back in down for other in up):
        return False
    before = [n for n, name in tree.open(child).items() if name in down]
    lower = [(n, name) for name, ends in up.items() for n in ends if before and n < min(before)]
    return bool(lower) and max(lower)[1] == pipe


def _started_with(parent: int, pipe: str, tree: Tree) -> int:
    """Return the process of a fork server that *pipe* tells of: it reads the pipe that was made
    just behind it.
    """
    back = {f"pipe:[{_inode(pipe) + 1}]"} & tree.write_ends(parent).keys()
    return next(
        (
            pid
            for pid, helper in tree.helpers.items()
            if not helper and back & _read_only(pid, tree)
        ),
        0,
    )


def _read_only(pid: int, tree: Tree) -> set[str]:
    return set(tree.open(pid).values()) - tree.write_ends(pid).keys()


def _inode(pipe: str) -> int:
    found = re.search(r"\d+", pipe)
    return int(found[0]) if found else 0
