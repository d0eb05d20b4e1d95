"""A command in a terminal of its own: what it shows, what is typed there, and Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from support.running import variables

CTRL_C = "\x03"
_OWN_TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


class Terminal:
    """The master's end of a pseudo-terminal, and the command at the other end."""

    def __init__(self, master: int, process: subprocess.Popen[bytes]) -> None:
        self._master, self.process = master, process
        self.shown = ""

    def until(self, text: str, seconds: float = 60.0) -> str:
        """Read until *text* is shown, or the command has ended; return all that was shown."""
        end = time.monotonic() + seconds
        while text not in self.shown and time.monotonic() < end and self._read():
            pass
        assert text in self.shown, self.shown
        return self.shown

    def type(self, text: str) -> None:
        """Type something; the terminal makes a signal of Ctrl-C."""
        os.write(self._master, text.encode())

    def ended(self, seconds: float = 60.0) -> int:
        """Read to the end; return the exit code."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self._read():
            pass
        return self.process.wait(max(0.1, end - time.monotonic()))

    def _read(self) -> bool:
        if not select.select([self._master], [], [], 0.2)[0]:
            return True
        try:
            part = os.read(self._master, 65536)
        except OSError:  # nobody has the other end open any more
            return False
        self.shown += part.decode(errors="replace").replace("\r\n", "\n")
        return bool(part)


@contextlib.contextmanager
def terminal(command: Sequence[str], cwd: Path, **others: str) -> Iterator[Terminal]:
    """Run a command in a terminal of 80 columns, as the leader of its session."""
    import fcntl
    import pty
    import struct
    import termios

    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-c", _OWN_TERMINAL, *command],
        cwd=cwd,
        env={**variables(), "TERM": "xterm", **others},
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    try:
        yield Terminal(master, process)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        os.close(master)
