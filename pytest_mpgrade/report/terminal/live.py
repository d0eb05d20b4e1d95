"""A display at the bottom of a terminal, drawn again and again while a batch runs.

Lines that are printed go above it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TextIO

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from pytest_mpgrade.report.adjustments import duration
from pytest_mpgrade.system.text import counted, encodable, one_line

_NAME = 30
"""Columns for the name of a submission."""


@dataclass(frozen=True, kw_only=True)
class Running:
    """One grading that runs."""

    id: str
    seconds: float
    what: str  # the test that it is at; "" where that is not known


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How far a batch is."""

    done: int
    total: int
    counts: Mapping[str, int]  # of those that are done
    running: tuple[Running, ...]
    per_minute: float | None
    seconds_left: float | None
    stopping: bool


def rough(seconds: float) -> str:
    """Return a time that is only an estimate."""
    return f"{seconds:.0f} s" if seconds < 100 else duration(seconds)


def display_lines(standing: Standing, height: int) -> list[str]:
    """Return the display, at most *height* lines of it."""
    head = [f"{standing.done} of {standing.total} done"]
    head += [f"{count} {what}" for what, count in standing.counts.items()]
    head += [f"{standing.per_minute:.1f} a minute"] if standing.per_minute is not None else []
    head += (
        [f"about {rough(standing.seconds_left)} left"] if standing.seconds_left is not None else []
    )
    found = [", ".join(head)]
    if standing.stopping:
        found.append("interrupted: what runs is ended; Ctrl-C again ends it at once")
    room = max(1, height - len(found) - 1)
    longest = sorted(standing.running, key=lambda each: -each.seconds)
    for each in longest[:room]:
        name = one_line(each.id)
        cut = name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"
        minutes, seconds = divmod(int(each.seconds), 60)
        found.append(f"  {cut:{_NAME}} {minutes:3}:{seconds:02}  {one_line(each.what)}")
    if len(longest) > room:
        found.append(f"  and {counted(len(longest) - room, 'other')}")
    return found


@contextlib.contextmanager
def display(
    stream: TextIO, standing: Callable[[], Standing], color: bool
) -> Iterator[Callable[[str], None]]:
    """Draw *standing* twice a second; yield what prints text above.

    Afterwards the display is gone, the cursor back.
    """
    console = Console(file=stream, force_terminal=True, no_color=not color, highlight=False)

    class Now:
        def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
            for line in display_lines(standing(), options.size.height - 1):
                text = Text(encodable(line, stream.encoding), no_wrap=True, overflow="crop")
                text.truncate(options.max_width)
                yield text

    def above(text: str) -> None:
        console.print(Text.from_ansi(encodable(text, stream.encoding)), soft_wrap=True)

    shown = Live(
        Now(),
        console=console,
        refresh_per_second=2,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    try:
        with shown:
            yield above
    finally:
        # An interrupt may have come in the middle of the display's own end.
        console.show_cursor(True)
