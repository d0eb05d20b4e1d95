"""The program of `mpgrade debug` in the user's own terminal: where it hangs, and how it ends."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from pytest_mpgrade.records import BrokenOff
from pytest_mpgrade.report.terminal.while_it_works import still_running_text, where_text
from pytest_mpgrade.run.explain import unsupervised
from pytest_mpgrade.run.explain.stacks import Stacks
from pytest_mpgrade.run.explain.unsupervised import Seen
from pytest_mpgrade.system import console
from pytest_mpgrade.system.process_tree import ProcessTree

PATIENCE = 5.0
"""Seconds in which no process has gone on to another line, before the user is told of it."""
LONG = 20.0
"""Seconds after which a program that still runs is told of, also where it has gone on."""
PERIOD = 1.0
"""Seconds between two looks at where its processes are."""
GRACE = 2.0
"""Seconds that processes have to end by themselves after Ctrl-C, as Python ends them."""


def run_program(text: str, about: str, start_method: str, folder: str) -> int:
    """Run a program with the user's own terminal; return how it ended.

    *about* is the call that it makes. *folder* has the user's own code.
    """
    with tempfile.TemporaryDirectory(prefix="mpgrade-") as scratch:
        file, stacks = Path(scratch) / "debug.py", Path(scratch) / "stacks"
        # In front of the first line, which is a comment, so that no line has another number.
        handler = unsupervised.handler_line(str(stacks))
        file.write_text(f"{handler}  {text}" if handler else text, "utf-8")
        sys.stdout.flush()
        with _interrupts() as interrupts:
            process = subprocess.Popen([sys.executable, str(file)])
            watched = _Program(process, interrupts, Stacks(file=str(stacks), own=(folder,)))
            try:
                return watched.to_its_end(about, start_method)
            finally:
                watched.end_children()


@contextlib.contextmanager
def _interrupts() -> Iterator[list[float]]:
    """Let Ctrl-C reach the program alone, in which a debugger may be that obeys it; note when.

    The terminal sends it to both. A handler is not inherited, unlike SIG_IGN.
    """
    times: list[float] = []
    before = signal.signal(signal.SIGINT, lambda *_: times.append(time.monotonic()))
    try:
        yield times
    finally:
        signal.signal(signal.SIGINT, before)


class _Program:
    """A program that runs, with what is known of its processes."""

    def __init__(
        self, process: subprocess.Popen[bytes], interrupts: list[float], stacks: Stacks
    ) -> None:
        self._process, self._interrupts, self._stacks = process, interrupts, stacks
        self._tree = ProcessTree(process.pid)
        self._seen = self._said = Seen()
        self._began = self._due = self._still_since = time.monotonic()

    def to_its_end(self, about: str, start_method: str) -> int:
        """Wait for the program; say where it is, and obey Ctrl-C. Return how it ended."""
        while (code := self._code()) is None and not self._ignores_ctrl_c():
            if not self._interrupts and time.monotonic() >= self._due:
                self._look()
        if not self._interrupts:
            return self._process.wait()
        ended = self._tree.kill(0.0 if code is None else GRACE)
        run = BrokenOff(
            call=about,
            start_method=start_method,
            seconds=self._interrupts[0] - self._began,
            processes=self._seen.processes,
        )
        for words in (
            f"{_processes(ended)} did not end, and had to be killed" if ended else "",
            where_text([run], console.width(), console.color(sys.stdout)),
        ):
            if words:
                console.say(f"\n{words}")
        return self._process.wait()

    def end_children(self) -> None:
        """End what the program has left behind, as at the end of a grading."""
        if left := self._tree.kill(PERIOD):
            console.say(f"{_processes(left)} that it had left behind had to be killed")

    def _code(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(PERIOD / 10)
        return None

    def _ignores_ctrl_c(self) -> bool:
        """Tell whether the program still runs some time after Ctrl-C, and asks nobody.

        Where a debugger has taken it, it counts no more.
        """
        if not self._interrupts:
            return False
        if len(self._interrupts) == 1 and time.monotonic() < self._interrupts[0] + GRACE:
            return False
        if self._places().asks:
            self._interrupts.clear()
            return False
        return True

    def _places(self) -> Seen:
        self._tree.look()
        return unsupervised.look(self._tree, self._process.pid, self._stacks)

    def _look(self) -> None:
        """See where the processes are, and say so where that has not changed for long."""
        seen = self._places()
        now = time.monotonic()
        self._due = now + PERIOD
        if self._interrupts:
            return  # what was just seen is the end of it already
        if seen.asks or seen.frames != self._seen.frames:
            self._still_since = now
        self._seen = seen
        still = now - self._still_since >= PATIENCE and seen.frames != self._said.frames
        if not seen.asks and (still or (now - self._began >= LONG and self._said == Seen())):
            self._said = seen
            width, color = console.width(), console.color(sys.stdout)
            text = still_running_text(seen.processes, now - self._began, width, color)
            console.say(f"\n{text}\n")


def _processes(number: int) -> str:
    return f"{number} process{'es' * (number != 1)}"
