"""What a process puts into queues and pipes, and takes out of them, in its own words.

From outside a message shows only where somebody waits for it. A drawing of the call is to show each
way from put to get, so each process notes what it pickles and unpickles for another one. The grader
does not believe it: nothing but a drawing is made of it.
"""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:  # every spawned worker pays for an import
    from collections.abc import Sequence
    from types import ModuleType
    from typing import Any

MOST_NOTES = 60
"""Items of one call that a process notes. A drawing shows the first ones."""
MOST_BYTES = 65536
"""Bytes of an item, from its first on, by which it is known where it arrives."""

_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NONBLOCK", 0)
"""The submission may have put a named pipe there, for which no note may wait."""


class _Notes:
    """The notes of all processes of a run, in one file."""

    def __init__(self) -> None:
        self._file = os.environ.get("MPGRADE_PASSED", "")
        self._of = self._left = 0

    def add(self, what: str, data: Any) -> None:
        """Note that this process has pickled an item, or is about to unpickle it."""
        now, pid = time.monotonic(), os.getpid()
        if self._of != pid:
            self._of, self._left = pid, MOST_NOTES
        if self._left <= 0:
            return
        self._left -= 1
        from binascii import crc32

        known = f"{len(data)}:{crc32(memoryview(data)[:MOST_BYTES])}"
        self._write(f"{what} {pid} {now:.6f} {known}\n")

    def begin_call(self) -> None:
        """Note that this process makes a call, of which it notes the first items again."""
        self._of, self._left = os.getpid(), MOST_NOTES
        self._write(f"caller {os.getpid()} {time.monotonic():.6f} -\n")

    def _write(self, line: str) -> None:
        try:
            # It is opened each time: a file that stays open would be inherited by all children.
            file = os.open(self._file, _APPEND, 0o666)
            try:
                os.write(file, line.encode())
            finally:
                os.close(file)
        except OSError:  # the submission may have used up what it may open
            return


NOTES = _Notes()
"""Those of this process."""


def wrap_picklers(packages: Sequence[ModuleType]) -> None:
    """Have this process, and those that it forks, note the items that they pass to each other."""
    for package in packages:
        _wrap(package.context.reduction.ForkingPickler)


def _wrap(pickler: Any) -> None:
    """Wrap the functions by which queues, connections and managers pickle and unpickle."""
    dumps, loads = vars(pickler)["dumps"].__func__, pickler.loads

    def noted_dumps(cls: Any, *args: Any, **kwargs: Any) -> Any:
        data = dumps(cls, *args, **kwargs)
        NOTES.add("put", data)
        return data

    def noted_loads(data: Any, **options: Any) -> object:
        NOTES.add("got", data)
        return loads(data, **options)

    pickler.dumps, pickler.loads = classmethod(noted_dumps), staticmethod(noted_loads)
