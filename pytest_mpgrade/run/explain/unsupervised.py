"""Where the processes of a program are that runs in a user's own terminal, without a supervisor.

`mpgrade debug` asks. The program's first line has registered faulthandler, as the grader does for
its own runs (`handler_line`).
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pytest_mpgrade.records import Doing, Frame, Role, Whereabouts
from pytest_mpgrade.run.explain.doing import doing_of, own_frame, role_of, source_of
from pytest_mpgrade.run.explain.stacks import Stacks
from pytest_mpgrade.run.observe import loops
from pytest_mpgrade.system.linux import blocked
from pytest_mpgrade.system.linux.blocked import Blocked
from pytest_mpgrade.system.process_tree import ProcessTree

SECONDS = 1.0
"""Seconds for the stacks of all processes together. One takes 0.02 s."""
_ASKING = frozenset(("pdb.py", "bdb.py", "cmd.py", "code.py", "debugger.py", "getpass.py"))
"""Modules with a frame on the stack while a person is asked for something."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """All processes of a program at one moment."""

    processes: tuple[Whereabouts, ...] = ()
    asks: bool = False  # one of them waits for what a person types

    @property
    def frames(self) -> tuple[tuple[int, Frame | None], ...]:
        """What is the same as long as no process has gone on to another line."""
        return tuple((each.pid, each.frame) for each in self.processes)


def handler_line(file: str) -> str:
    """Return the statement by which a process and its children write their stacks into *file*.

    It is "" where a system has no such signal. The signal is ignored before, as
    `inside.bootstrap` does and for its reason.
    """
    if not hasattr(signal, "SIGUSR2"):
        return ""
    number, ignore = int(signal.SIGUSR2), int(signal.SIG_IGN)
    ignored = f"__import__('signal').signal({number}, {ignore})"
    handled = f"__import__('faulthandler').register({number}, open({file!r}, 'a'), chain=True)"
    return f"{ignored}; {handled}"


def look(tree: ProcessTree, caller: int, stacks: Stacks) -> Seen:
    """Return where the processes of a tree are, the caller first."""
    end = time.monotonic() + SECONDS
    found: list[Whereabouts] = []
    workers = itertools.count(1)  # in the order of their process ids
    asks = False
    for pid in _that_answer(tree, caller):
        if (left := end - time.monotonic()) <= 0:
            break
        threads = stacks.at_once(pid, left)
        if not threads or any(_of_fork_server(frames) for frames in threads):
            continue
        asks = asks or any(_asks(pid, frames, stacks) for frames in threads)
        role = role_of(pid, caller, threads, stacks)
        number = next(workers) if role is Role.WORKER else 0
        found.append(_place(pid, role, number, threads, stacks))
    return Seen(processes=tuple(found), asks=asks)


def _place(
    pid: int, role: Role, number: int, threads: Sequence[Sequence[Frame]], stacks: Stacks
) -> Whereabouts:
    own = (own_frame(frames, stacks) for frames in reversed(threads))
    frame = next((frame for frame in own if frame is not None), None)
    code = source_of(frame) if frame else ""
    return Whereabouts(pid=pid, role=role, number=number, frame=frame, code=code)


def _that_answer(tree: ProcessTree, caller: int) -> Iterable[int]:
    """Return the processes that the signal does not end.

    On Linux the kernel says so when the stack is asked for. Elsewhere they are known by their
    command lines: those of the fork server and of the resource tracker are others.
    """
    if sys.platform == "linux":
        return tree.alive()
    own = tree.command(caller)
    return [
        pid
        for pid in tree.alive()
        if tree.command(pid) == own or "multiprocessing.spawn" in tree.command(pid)
    ]


def _of_fork_server(frames: Sequence[Frame]) -> bool:
    """Tell whether a thread is the fork server's own; its children's stacks begin later."""
    return any(os.path.basename(frame.file) == "forkserver.py" for frame in frames)


def _asks(pid: int, frames: Sequence[Frame], stacks: Stacks) -> bool:
    if any(os.path.basename(frame.file) in _ASKING for frame in frames):
        return True
    here = blocked.look_at_main_thread(pid) if sys.platform == "linux" else Blocked()
    own = stacks.owns(frames[0]) and "input" in loops.called_at(frames[0])
    return own or doing_of(frames, stacks, here) is Doing.INPUT
