"""Lines for a student who waits: each verdict as it comes, and where an interrupt has struck."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from pytest_mpgrade.records import BrokenOff, Outcome, Whereabouts
from pytest_mpgrade.report.terminal.page import STYLES, Page
from pytest_mpgrade.system.text import clean, one_line

MARKS = {
    Outcome.PASSED: "✓",
    Outcome.FAILED: "✗",
    Outcome.ERROR: "!",
    Outcome.INCONCLUSIVE: "?",
    Outcome.ABSENT: "–",
    Outcome.SKIPPED: "–",
}
_SAID = {
    Outcome.ERROR: "the grader or the machine broke",
    Outcome.INCONCLUSIVE: "not decided on this machine",
    Outcome.ABSENT: "nothing to judge",
    Outcome.SKIPPED: "not tried",
}
"""What stands with a verdict that is neither right nor wrong, in place of its start methods."""
_MOST_PROCESSES = 6
"""Processes of one run that are shown; of a larger crowd the others do the same."""


def verdict_line(
    about: str,
    words: str,
    outcome: Outcome,
    start_methods: Sequence[str],
    width: int = 80,
    color: bool = False,
) -> str:
    """Return a verdict as one line: ``✓ results · One right result per … (fork, spawn)``.

    *words* are cut where the line is too long.
    """
    said = _SAID.get(outcome, ", ".join(start_methods))
    end = f" ({said})" if said else ""
    head = f"{one_line(about)} · " if about else ""
    # two columns for the mark, and room for what stands for signs that an encoding lacks
    room = max(10, width - len(head) - len(end) - 4)
    text = one_line(words).rstrip(".")
    shown = text if len(text) <= room else f"{text[: room - 1].rstrip()}…"
    page = Page(width, color)
    page.line((MARKS[outcome], STYLES.get(outcome, "")), f" {head}{shown}", (end, "dim"))
    return page.text


def where_text(runs: Iterable[BrokenOff], width: int = 80, color: bool = False) -> str:
    """Say where the processes of runs were that an interrupt has broken off; "" for none."""
    page = Page(width, color)
    for run in runs:
        if not any(each.frame for each in run.processes):
            continue  # no code of the submission was reached
        call = f"{one_line(run.call)} under {one_line(run.start_method)}"
        page.line((call, "bold"), f", after {run.seconds:.1f} s", indent=2, hang=4)
        _add_places(page, run.processes, "was")
    return f"When it was interrupted:\n{page.text}" if page.text else ""


def still_running_text(
    processes: Sequence[Whereabouts], seconds: float, width: int = 80, color: bool = False
) -> str:
    """Say of a program in the user's own terminal where it is, and how it can be ended."""
    page = Page(width, color)
    head = (f"Still running after {seconds:.0f} s.", "bold")
    page.line(head, " Ctrl-C ends it, with all its child processes.", hang=4)
    _add_places(page, processes, "is")
    return page.text


def _add_places(page: Page, processes: Sequence[Whereabouts], verb: str) -> None:
    for each in processes[:_MOST_PROCESSES]:
        page.line(_where(each, verb), indent=6, hang=4)
    if (more := len(processes) - _MOST_PROCESSES) > 0:
        page.line(f"and {more} more", indent=6)


def _where(one: Whereabouts, verb: str) -> str:
    who = f"{one.name} (pid {one.pid})"
    if one.frame is None:
        return f"{who} {verb} in none of your lines"
    place = f"{os.path.basename(one.frame.file)}:{one.frame.line}"
    function = one.frame.function
    inside = f" in {function}()" if function.isidentifier() else ""
    return f"{who} {verb}{inside} at {clean(place)}: {one_line(one.code)}"
