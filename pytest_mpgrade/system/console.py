"""Where commands print: what can be printed there, how wide, in colour or not.

Light: every command imports it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator
from typing import TextIO, cast

from pytest_mpgrade.system.text import encodable, no_commands


def say(text: str, stream: TextIO | None = None) -> None:
    """Print *text*, to standard output by default; on GitHub nothing in it is a command."""
    out = stream or sys.stdout
    shown = no_commands(text) if os.environ.get("GITHUB_ACTIONS") == "true" else text
    print(encodable(shown, out.encoding), file=out, flush=True)


class Lasting:
    """A stream that outlives its reader.

    What cannot be written any more is dropped, and nothing is raised. The reader of a pipe may
    leave (`| head`), a terminal may hang up, the disk below a log may be full. None of them may end
    a grading: its results go to files of their own.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def write(self, text: str, /) -> int:
        """Write, or drop, *text*."""
        try:
            return self._stream.write(text)
        except (OSError, ValueError):
            self._drop()
            return len(text)

    def flush(self) -> None:
        """Write, or drop, what is still held back."""
        try:
            self._stream.flush()
        except (OSError, ValueError):
            self._drop()

    def _drop(self) -> None:
        # What the stream holds back goes there too; else Python would complain of it at its end.
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


@contextlib.contextmanager
def lasting() -> Iterator[None]:
    """Have standard output and standard error outlive their readers while the context lasts."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (
        cast("TextIO", Lasting(sys.stdout)),
        cast("TextIO", Lasting(sys.stderr)),
    )
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stdout, sys.stderr = before


def width() -> int:
    """Return the columns to print in, 120 at most."""
    return min(shutil.get_terminal_size((80, 24)).columns, 120)


def color(stream: TextIO) -> bool:
    """Tell whether to use colour: on terminals, unless the user does not want it.

    See https://no-color.org.
    """
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
