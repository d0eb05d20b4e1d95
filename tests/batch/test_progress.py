"""How far a batch is: plain lines in a file, a display on a terminal, and a terminal that is whole
afterwards.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from pytest_mpgrade.report.terminal import live
from pytest_mpgrade.report.terminal.live import Running, Standing
from support.running import variables, wait_until
from support.small_class import SOLUTIONS, below, course, hand_in, words

if sys.platform == "win32":
    pytest.skip("Windows has no pseudo-terminals", allow_module_level=True)

import fcntl
import struct
import termios
import threading

__all__ = ["course"]

HIDDEN, SHOWN = "\x1b[?25l", "\x1b[?25h"
CTRL_C = b"\x03"


class Terminal:
    """A pseudo-terminal of 24 lines, read all the time; the command in it has it as its own."""

    def __init__(self, command: list[str], cwd: Path, stdout: int | None = None) -> None:
        self._ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
        self.before = termios.tcgetattr(theirs)
        self._theirs = theirs
        self._data = bytearray()
        self.process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**variables(), "TERM": "xterm-256color"},
            stdin=theirs,
            stdout=stdout or theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while data := os.read(self._ours, 65536):
                self._data += data

    @property
    def text(self) -> str:
        """All that was written to it so far."""
        return self._data.decode("utf-8", "replace")

    def press(self, key: bytes) -> None:
        """Type something."""
        os.write(self._ours, key)

    def end(self) -> int:
        """Wait until the command has ended; return its exit code."""
        code = self.process.wait(120)
        self.after = termios.tcgetattr(self._theirs)
        os.close(self._theirs)
        self._reader.join(10)
        os.close(self._ours)
        return code


@pytest.fixture
def hanging(course: Path) -> Path:
    """Return a class in which two submissions hang for long."""
    hand_in(course, "aaron", SOLUTIONS["dan"])
    return course


PATIENT = ("--limit", "seconds=60", "--limit", "patience=60")


def whole(terminal: Terminal) -> bool:
    """Tell whether a terminal is as it was: its settings, and the cursor to be seen."""
    return terminal.before == terminal.after and terminal.text.rfind(SHOWN) > terminal.text.rfind(
        HIDDEN
    )


def test_display(course: Path) -> None:
    """On a terminal one sees what is done, what runs and at which test, then the tables, and no
    rest of the display.
    """
    terminal = Terminal(words("-j", "2"), course)
    assert terminal.end() == 3, terminal.text
    assert HIDDEN in terminal.text
    assert whole(terminal)
    for said in (
        "of 5 done",
        "test_double[fork]",
        "1 ungradable",
        "with failed checks",
        "a minute",
        "[5/5]",
    ):
        assert said in terminal.text
    assert "of 5 done" not in terminal.text[terminal.text.rindex("Failed concerns") :]


@pytest.mark.parametrize("times", [1, 2])
def test_interrupted_display(hanging: Path, times: int) -> None:
    """Ctrl-C typed once or twice ends a batch as ever, leaves no process, and the terminal
    whole.
    """
    terminal = Terminal(words("-j", "3", *PATIENT), hanging)
    pid = terminal.process.pid
    assert wait_until(lambda: any("inside.child" in " ".join(line) for line in below(pid))), (
        terminal.text
    )
    assert wait_until(lambda: "aaron" in terminal.text and "test_double[fork]" in terminal.text), (
        terminal.text
    )
    tree = psutil.Process(pid).children(recursive=True)
    for _ in range(times):
        terminal.press(CTRL_C)
    assert terminal.end() == 130, terminal.text
    assert whole(terminal)
    assert wait_until(lambda: not any(each.is_running() for each in tree))
    assert "Traceback" not in terminal.text
    assert "mpgrade: interrupted" in terminal.text


def test_display_beside_a_file(course: Path) -> None:
    """Where only standard error is a terminal, the display is there and the file has plain
    lines.
    """
    with (course / "log").open("wb") as log:
        terminal = Terminal(words("-j", "2"), course, stdout=log.fileno())
        assert terminal.end() == 3
    assert "of 5 done" in terminal.text
    assert whole(terminal)
    written = (course / "log").read_text("utf-8")
    assert "[5/5]" in written
    assert "\x1b" not in written


def test_no_display_beside_a_pipe(course: Path) -> None:
    """Into `| tee` go plain lines, and no display is drawn that they would go through."""
    reading, writing = os.pipe()
    terminal = Terminal(words("-j", "2"), course, stdout=writing)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as lines:
        written = lines.read()
    assert terminal.end() == 3
    assert "[5/5]" in written
    assert HIDDEN not in terminal.text


def standing(*running: str, **more: object) -> Standing:
    """Return how far a batch might be."""
    fields: dict[str, object] = {
        "done": 3,
        "total": 200,
        "counts": {"graded": 2, "ungradable": 1},
        "per_minute": 12.34,
    }
    seconds = tuple(
        Running(id=id, seconds=60.0 + place, what="test_x[fork]")
        for place, id in enumerate(running)
    )
    fields |= {"seconds_left": 958.0, "stopping": False, "running": seconds, **more}
    return Standing(**fields)  # type: ignore[arg-type]  # - fields by their names


def test_lines() -> None:
    """The longest running are first, and what does not fit is counted."""
    assert live.display_lines(standing("ada", "x" * 40, "evil\x1b[2J\nname"), 4) == [
        "3 of 200 done, 2 graded, 1 ungradable, 12.3 a minute, about 16 min left",
        "  evil\\x1b[2J name                 1:02  test_x[fork]",
        f"  {'x' * 29}…   1:01  test_x[fork]",
        "  and 1 other",
    ]


def test_lines_while_it_ends() -> None:
    """An interrupted batch says what a second interrupt does, and nothing of a rate that is not
    known.
    """
    found = live.display_lines(standing(per_minute=None, seconds_left=None, stopping=True), 10)
    assert found == [
        "3 of 200 done, 2 graded, 1 ungradable",
        "interrupted: what runs is ended; Ctrl-C again ends it at once",
    ]
