"""A page of text for a terminal: its lines and tables, and the colours of outcomes."""

from __future__ import annotations

import io

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pytest_mpgrade.records import Outcome

STYLES = {
    Outcome.PASSED: "green",
    Outcome.FAILED: "bold red",
    Outcome.ERROR: "bold magenta",
    Outcome.INCONCLUSIVE: "yellow",
    Outcome.ABSENT: "yellow",
}


class Page:
    """Lines of a given width; with control sequences for colour only where *color* is set."""

    def __init__(self, width: int, color: bool) -> None:
        self._file = io.StringIO()
        # The caller knows the stream; rich would look at this process's environment and terminal
        # instead.
        self._console = Console(
            file=self._file,
            width=max(width, 40),
            force_terminal=color,
            color_system="standard" if color else None,
            highlight=False,
            legacy_windows=False,
            _environ={},
        )

    def line(self, *parts: str | tuple[str, str], indent: int = 0, hang: int = 0) -> None:
        """Add one paragraph; where it is too long, it goes on *hang* columns further right."""
        text = Text.assemble(*parts, overflow="fold")
        width = self._console.width - indent
        first = text.wrap(self._console, width)[0]
        self._console.print(Text(" " * indent) + first, soft_wrap=True)
        rest = text[len(first) :] if len(first) < len(text) else Text("")
        rest = (
            rest[len(rest.plain) - len(rest.plain.lstrip()) :] if rest.plain.strip() else Text("")
        )
        for row in rest.wrap(self._console, width - hang, overflow="fold") if rest else ():
            self._console.print(Text(" " * (indent + hang)) + row, soft_wrap=True)

    def table(self, table: Table) -> None:
        """Add a table."""
        self._console.print(table)

    @property
    def text(self) -> str:
        """All of it, without blanks at line ends."""
        return "\n".join(line.rstrip() for line in self._file.getvalue().split("\n")).strip("\n")
