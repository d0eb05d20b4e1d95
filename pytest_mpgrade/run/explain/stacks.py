"""Python stacks of processes, read from outside.

The child and the workers have registered faulthandler for SIGUSR2. It needs no privileges, and a
process that cannot run Python code any more answers, too. Where faulthandler yields nothing, the
stacks come from py-spy, if it is installed.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_mpgrade.records import Frame
from pytest_mpgrade.system.linux import procfs

_FRAME = re.compile(r'^  File "(?P<file>.*)", line (?P<line>\d+) in (?P<function>.*)$')
_THREAD = re.compile(r"^(Current thread|Thread) .*\(most recent call first\):$")

_BOOTSTRAP = ("process.py", "_bootstrap")
"""The frame with which a child of multiprocessing begins."""


@dataclass(frozen=True, kw_only=True)
class Stacks:
    """The file that the stacks of one run are written to, and which frames are the submission's."""

    file: str
    own: tuple[str, ...]  # folders
    # a kernel's name for the code of a cell -> path of the file with its source
    cells: Mapping[str, str] = field(default_factory=dict)

    def of(self, pid: int) -> list[list[Frame]]:
        """Return the stacks of a process's threads, innermost frame first, the main thread last."""
        threads = _from_faulthandler(pid, self.file) or _from_py_spy(pid)
        return [[self._named(frame) for frame in _since_start(thread)] for thread in threads]

    def at_once(self, pid: int, seconds: float) -> list[list[Frame]]:
        """Return the same as far as the process itself can tell it within *seconds*."""
        threads = _from_faulthandler(pid, self.file, seconds)
        return [[self._named(frame) for frame in _since_start(thread)] for thread in threads]

    def owns(self, frame: Frame) -> bool:
        """Tell whether a frame is in a file of the submission."""
        return any(frame.file.startswith(folder + os.sep) for folder in self.own)

    def _named(self, frame: Frame) -> Frame:
        cell = self.cells.get(os.path.basename(frame.file))
        return dataclasses.replace(frame, file=cell) if cell else frame


def _since_start(frames: list[Frame]) -> list[Frame]:
    """Return the frames of a process since it was forked.

    Below them are the frames of what its parent was doing at the fork, such as `p.start()`.
    """
    begun = (
        at
        for at, frame in enumerate(frames)
        if (os.path.basename(frame.file), function_name(frame)) == _BOOTSTRAP
    )
    return frames[: next(begun, len(frames))]


def function_name(frame: Frame) -> str:
    """Return a function's name without its class, which some versions of Python put before it."""
    return frame.function.rpartition(".")[2]


def _from_faulthandler(pid: int, path: str, seconds: float = 1.0) -> list[list[Frame]]:
    """Ask one process for its stacks; never two at once, since the text does not name it."""
    if not hasattr(signal, "SIGUSR2"):
        return []
    before = _size(path)
    if procfs.handles(pid, signal.SIGUSR2) is False:
        return []  # the signal would kill it
    try:
        os.kill(pid, signal.SIGUSR2)
    except OSError:
        return []
    end = time.monotonic() + seconds
    text, last = "", -1
    while time.monotonic() < end:
        size = _size(path)
        if size > before and size == last:
            break
        last = size
        time.sleep(0.01)
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            file.seek(before)
            text = file.read(200_000)
    except OSError:
        return []
    return parse_stacks(text)


def parse_stacks(text: str) -> list[list[Frame]]:
    """Parse what faulthandler has written: a list of frames for each thread."""
    threads: list[list[Frame]] = []
    for line in text.splitlines():
        if _THREAD.match(line):
            threads.append([])
        elif (match := _FRAME.match(line)) and threads:
            threads[-1].append(
                Frame(file=match["file"], line=int(match["line"]), function=match["function"])
            )
    return [thread for thread in threads if thread]


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _from_py_spy(pid: int) -> list[list[Frame]]:
    import subprocess  # imported here because few runs need it

    program = os.path.join(os.path.dirname(sys.executable), "py-spy")
    if not os.path.exists(program):
        return []
    try:
        done = subprocess.run(
            [program, "dump", "--nonblocking", "--json", "--pid", str(pid)],
            capture_output=True,
            timeout=3,
            check=True,
        )
        dump = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return []
    threads = [
        [
            Frame(file=frame["filename"], line=frame["line"], function=frame["name"])
            for frame in thread["frames"]
        ]
        for thread in dump
    ]
    return [thread for thread in reversed(threads) if thread]
