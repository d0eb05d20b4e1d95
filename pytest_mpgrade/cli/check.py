"""The command `mpgrade check`: grade one's own solution, and see how far it is meanwhile."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import sys
import tempfile
import time
from pathlib import Path

from pytest_mpgrade.cli.grading_options import exit_code, grading_options
from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.grade.grading import Grading, default_id, folder_name, grade
from pytest_mpgrade.grade.pytest_run import LOG
from pytest_mpgrade.records import (
    RESULT_FILE,
    Assignment,
    BrokenOff,
    Ending,
    Outcome,
    Status,
)
from pytest_mpgrade.report import redaction, result_json, terminal
from pytest_mpgrade.report.causes import causes_of
from pytest_mpgrade.report.result_json import ResultFile
from pytest_mpgrade.report.terminal.timelines import timelines_text
from pytest_mpgrade.report.terminal.while_it_works import verdict_line, where_text
from pytest_mpgrade.session.estimate import ahead_words
from pytest_mpgrade.session.live_events import (
    Began,
    Interrupted,
    LiveEvent,
    LiveReader,
    PlainEnded,
    QuestionEnded,
    TriesPlain,
)
from pytest_mpgrade.system import console

PATIENCE = 2.0
"""Seconds after which it is said that the plainest call has not come back."""
_ENDED = {
    Ending.RETURNED: "comes back",
    Ending.RAISED: "raised",
    Ending.HUNG: "never came back",
    Ending.TIMED_OUT: "had not come back at its time limit",
    Ending.DIED: "ended its own process",
    Ending.NOT_TRIED: "not tried",
    Ending.STOPPED: "was ended",
    Ending.BROKEN: "could not be tried",
}
"""How the plainest call ended, in words."""
_BARE = frozenset((Ending.HUNG, Ending.TIMED_OUT))
"""Endings of which the words say enough; what each process waited for follows at the end."""


def main(assignment: Assignment, arguments: argparse.Namespace) -> int:
    """Run the command."""
    with tempfile.TemporaryDirectory(prefix="mpgrade-") as scratch:
        out = arguments.out or Path(scratch)
        live = LivePrinter(Path(scratch) / "live")
        options = dataclasses.replace(
            grading_options(arguments), live=str(live.path), look=live.look
        )
        try:
            graded = grade(arguments.path, assignment, out, options=options)
        except KeyboardInterrupt:
            live.look()
            folder = out / folder_name(default_id(arguments.path))
            _show_unfinished(folder / RESULT_FILE, assignment, live)
            raise
        live.look()
        result, logged = graded.result, (graded.folder / LOG).exists()
        page = _page(graded, assignment, arguments.html) if arguments.html else None
    if live.lines:
        console.say("")
    _show(result, assignment, timeline=arguments.timeline)
    if result.status is Status.ERROR and logged and not arguments.out:
        console.say("\nwith --out DIR the grading's own log is kept there")
    if page:
        console.say(f"\nas a page: {page}")
    return exit_code(result)


def _page(graded: Grading, assignment: Assignment, folder: Path) -> Path:
    from pytest_mpgrade.batch.report_folder import write_feedback_page

    return write_feedback_page(graded.folder / RESULT_FILE, assignment.criteria, folder)


def _show(result: ResultFile, assignment: Assignment, *, timeline: bool = False) -> None:
    """Explain what failed, draw it if asked to, and show the points."""
    shown, _ = redaction.redacted(result, assignment.criteria)
    if timeline and (drawn := timelines_text(shown, console.width(), console.color(sys.stdout))):
        console.say(drawn + "\n")
    if text := terminal.explanations(shown, console.width(), console.color(sys.stdout)):
        console.say(text + "\n")
    console.say(terminal.rubric(shown, console.width(), console.color(sys.stdout)))


def _show_unfinished(file: Path, assignment: Assignment, live: LivePrinter) -> None:
    """Show what was found until the interrupt, and where the code was then."""
    if live.lines:
        console.say("")
    with contextlib.suppress(UsageError):  # the interrupt came before there was a result file
        result = result_json.read_result(file)
        if any(check.outcome is not Outcome.NOT_RUN for check in result.checks):
            _show(_so_far(result), assignment)
    if where := where_text(live.broken_off, console.width(), console.color(sys.stdout)):
        console.say(f"\n{where}\n")


def _so_far(result: ResultFile) -> ResultFile:
    """Return an interrupted result as one of what was found, marked as unfinished."""
    said = f"unfinished, these are the points so far: {result.reason}"
    note = "; ".join(filter(None, (result.submission.note, said)))
    return dataclasses.replace(
        result,
        status=Status.GRADED,
        reason="",
        submission=dataclasses.replace(result.submission, note=note),
        causes=result.causes or causes_of(result),
    )


class LivePrinter:
    """Prints a line for each event of a grading that works."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = 0
        self.broken_off: list[BrokenOff] = []
        self._reader = LiveReader(path)
        self._trying = 0.0  # since when the plainest call is tried; 0: it is not

    def look(self) -> None:
        """Print what has come since the last time."""
        for event in self._reader.new():
            self._take(event)
        if self._trying and time.monotonic() > self._trying + PATIENCE:
            self._trying = 0.0
            self._say("… the plainest call has not come back yet")

    def _take(self, event: LiveEvent) -> None:
        if isinstance(event, Began):
            self._say(ahead_words(event.questions, event.seconds))
        elif isinstance(event, TriesPlain):
            self._trying = time.monotonic()
        elif isinstance(event, PlainEnded):
            self._trying = 0.0
            self._plain(event)
        elif isinstance(event, QuestionEnded):
            self._trying = 0.0
            self._verdict(event.criterion, event.title, event.outcome, event.start_methods)
        elif isinstance(event, Interrupted):
            self.broken_off.append(event.broken_off)

    def _plain(self, event: PlainEnded) -> None:
        words = f"{event.call} {_ENDED[event.ending]}"
        if event.why and event.ending not in _BARE:
            words += f" {event.why}" if event.ending is Ending.RAISED else f": {event.why}"
        outcome = Outcome.PASSED if event.ending is Ending.RETURNED else Outcome.FAILED
        took = (f"{event.start_method}, {event.seconds:.1f} s",)
        self._verdict("", words, outcome, took)

    def _verdict(
        self, about: str, words: str, outcome: Outcome, start_methods: tuple[str, ...]
    ) -> None:
        color = console.color(sys.stdout)
        self._say(verdict_line(about, words, outcome, start_methods, console.width(), color))

    def _say(self, line: str) -> None:
        self.lines += 1
        console.say(line)
