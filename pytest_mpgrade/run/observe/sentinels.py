"""Which files that a process waits at report the end of another process, and of which one.

A pidfd does. So does a sentinel, the pipe that multiprocessing makes for each process: only the
child has its other end, and never writes to it. multiprocessing makes a second pipe, in the other
direction, just behind that one.
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

    helpers: Mapping[int, str]  # pid -> which helper of Python's it is, "" for none
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
    """What a process waits at: the ends of processes, or other things."""

    exits: bool
    messages: bool
    pids: tuple[int, ...] = ()  # of the processes that may end, where they are known


def sources(pid: int, files: Sequence[int], tree: Tree) -> WaitSources:
    """Tell whether these files of a process report ends of processes, other things, or both."""
    exits, messages, pids = False, False, []
    for number in files:
        ended = _whose_end(pid, number, tree)
        exits, messages = exits or ended is not None, messages or ended is None
        pids += [ended] if ended else []
    return WaitSources(exits=exits, messages=messages, pids=tuple(pids))


def _whose_end(pid: int, number: int, tree: Tree) -> int | None:
    """Return the pid of the process whose end this file reports.

    It is 0 if that is not known, and None if the file reports something else.
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
    """Tell whether *pipe*, which leads from *child* to *parent*, is a sentinel.

    Of such pipes, the sentinel is the one made just before the pipe that leads back.
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
    """Return the pid of the process of a fork server that *pipe* belongs to; 0: not known.

    That process reads the pipe that was made just behind it, as its number mostly says. Another
    process may have made a pipe in between, or the parent may have moved to another core, which
    gives out numbers of its own. What is left of both kinds is taken in the order of the parent's
    file descriptors then.
    """
    backs, reads = _backs(parent, tree), _read_only(parent, tree)
    sentinels = [
        name
        for _, name in sorted(tree.open(parent).items())
        if name in reads
        and [tree.helpers[writer] for writer in tree.writers(name)] == ["fork server"]
    ]
    known = {
        name: backs[behind]
        for name in sentinels
        if (behind := f"pipe:[{_inode(name) + 1}]") in backs
    }
    others = [name for name in sentinels if name not in known]
    rest = [pid for pid in backs.values() if pid not in known.values()]
    if len(others) == len(rest):
        known |= dict(zip(others, rest, strict=True))
    return known.get(pipe, 0)


def _backs(parent: int, tree: Tree) -> dict[str, int]:
    """Return the pipes to which a process alone writes, and who reads each of them.

    Their order is that of the writer's file descriptors.
    """
    ends = tree.write_ends(parent)
    readers = [(pid, _read_only(pid, tree)) for pid, helper in tree.helpers.items() if not helper]
    backs = {}
    for name in sorted(ends, key=lambda name: min(ends[name])):
        of = [pid for pid, reads in readers if name in reads and pid != parent]
        if len(of) == 1 and tree.writers(name) == [parent]:
            backs[name] = of[0]
    return backs


def _read_only(pid: int, tree: Tree) -> set[str]:
    return set(tree.open(pid).values()) - tree.write_ends(pid).keys()


def _inode(pipe: str) -> int:
    digits = re.search(r"\d+", pipe)
    return int(digits[0]) if digits else 0
