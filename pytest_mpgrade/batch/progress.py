"""Show the progress of a batch: a line for each submission, and on a terminal what runs now."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol, TextIO

from pytest_mpgrade.batch.job import Job
from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.grade.grading import Grading
from pytest_mpgrade.records import RESULT_FILE, Outcome, Status
from pytest_mpgrade.report import result_json
from pytest_mpgrade.report.grade_words import grade_words
from pytest_mpgrade.report.terminal import live
from pytest_mpgrade.report.terminal.live import Running, Standing
from pytest_mpgrade.system.text import clean, encodable, one_line

RATE_FROM = 3
"""The number of gradings from which on a rate is shown."""


class Progress(Protocol):
    """What a batch reports its progress to."""

    def begun(self, job: Job) -> None:
        """Note that a job has begun; called from any thread."""

    def done(self, grading: Grading) -> None:
        """Note that a submission has its result."""

    def say(self, text: str) -> None:
        """Print other text."""


class Board:
    """Counts results, and knows whose gradings run, since when, and at which test."""

    def __init__(
        self, total: int, out: Path, stopping: Callable[[], bool], asked: int | None = None
    ) -> None:
        """Count up to *total* results, of which *asked* are to be made; None: all not made yet."""
        self._total = total
        self._asked = asked
        self._out = out
        self._stopping = stopping
        self._lock = threading.Lock()
        self._running: dict[str, tuple[Job, float]] = {}
        self._counts: Counter[str] = Counter()
        self._number = self._kept = 0
        self._began = time.monotonic()
        # for each folder: modification time of its result in ns, and the running test
        self._read: dict[str, tuple[int, str]] = {}

    def begun(self, job: Job) -> None:
        """Note that a job has begun."""
        with self._lock:
            self._running[clean(job.id)] = (job, time.monotonic())

    def done(self, grading: Grading) -> str:
        """Count a result; return its line."""
        result = grading.result
        with self._lock:
            job, _ = self._running.pop(result.submission.id, (None, 0.0))
            self._read.pop(job.folder if job else "", None)
            self._number += 1
            self._kept += grading.kept
            failed = result.status is Status.GRADED and result.count(Outcome.FAILED)
            self._counts["with failed checks" if failed else result.status.value] += 1
        place = f"[{self._number:{len(str(self._total))}}/{self._total}]"
        how = "graded before" if grading.kept else f"{result.seconds:.1f} s"
        score = f", {grade_words(result, ' / ')} points" * (result.status is Status.GRADED)
        return one_line(f"{place} {result.submission.id}: {result.status}{score}, {how}")

    def seconds_left(self) -> float | None:
        """Return how many seconds the rest may take at the rate so far.

        Returns None below `RATE_FROM` gradings, or when nothing is left.
        """
        made = self._number - self._kept
        rest = (self._total - self._kept if self._asked is None else self._asked) - made
        return (
            rest * (time.monotonic() - self._began) / made if made >= RATE_FROM and rest else None
        )

    def standing(self) -> Standing:
        """Return what a display shows at this moment."""
        now = time.monotonic()
        with self._lock:
            running, counts = list(self._running.values()), dict(self._counts)
            made = self._number - self._kept
        return Standing(
            done=self._number,
            total=self._total,
            counts=counts,
            running=tuple(
                Running(id=job.id, seconds=now - since, what=self._test(job))
                for job, since in running
            ),
            per_minute=60 * made / (now - self._began) if made >= RATE_FROM else None,
            seconds_left=self.seconds_left(),
            stopping=self._stopping(),
        )

    def _test(self, job: Job) -> str:
        """Return the running test of a submission: the first that its result lists as not run."""
        file = self._out / job.folder / RESULT_FILE
        try:
            written = file.stat().st_mtime_ns
            if self._read.get(job.folder, (0, ""))[0] != written:
                checks = result_json.read_result(file).checks
                waiting = (each.test for each in checks if each.outcome is Outcome.NOT_RUN)
                self._read[job.folder] = (written, next(waiting, "").rpartition("::")[2])
            return self._read[job.folder][1]
        except (OSError, UsageError):
            return ""


class ProgressLines:
    """Progress in files and pipes: a line for each submission, with the estimated time left."""

    def __init__(self, board: Board, stream: TextIO) -> None:
        self._board = board
        self._stream = stream
        self.begun = board.begun

    def done(self, grading: Grading) -> None:
        """Print a submission's line."""
        line = self._board.done(grading)
        left = self._board.seconds_left()
        self.say(line if left is None else f"{line}, about {live.rough(left)} left")

    def say(self, text: str) -> None:
        """Print *text*."""
        print(encodable(text, self._stream.encoding), file=self._stream, flush=True)


class _OnTerminal:
    """Progress on a terminal: the same lines above a display that is redrawn all the time."""

    def __init__(self, board: Board, say: Callable[[str], None]) -> None:
        self._board = board
        self.begun = board.begun
        self.say = say

    def done(self, grading: Grading) -> None:
        """Print a submission's line."""
        self.say(self._board.done(grading))


@contextlib.contextmanager
def progress_shown(board: Board, color: bool) -> Iterator[Progress]:
    """Show the progress of a batch while the context lasts; always restore the terminal."""
    stream = _terminal()
    if stream is None:
        yield ProgressLines(board, sys.stdout)
        return
    with live.display(stream, board.standing, color) as above:
        on_stdout = stream is sys.stdout
        yield (
            _OnTerminal(board, above)
            if on_stdout
            else _OnTerminal(board, ProgressLines(board, sys.stdout).say)
        )


def _terminal() -> TextIO | None:
    """Return the terminal on which a display can be drawn, or None.

    Where stdout is a pipe, such as to tee, its lines would break the display.
    """
    if os.environ.get("TERM") in ("dumb", "unknown"):
        return None
    if sys.stdout.isatty():
        return sys.stdout
    return sys.stderr if sys.stderr.isatty() and _is_file(sys.stdout) else None


def _is_file(stream: TextIO) -> bool:
    try:
        mode = os.fstat(stream.fileno()).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(mode)
