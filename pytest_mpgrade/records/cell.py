"""A notebook as it was executed, cell by cell; part of the records, whose package exports it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from pytest_mpgrade.records.outcomes import Ending
from pytest_mpgrade.records.trace import Trace

NotebookDocument = dict[str, Any]
"""A notebook or a part of it, as nbformat 4 defines it.

It is JSON of which students can write any part.
"""
Outputs = tuple[NotebookDocument, ...]
"""The outputs of a cell."""

_LOST = re.compile(
    r"Can't (?:get|resolve|find|lookup) (?:attribute|path) '(?P<a>[\w.]+)' on <module"
    r" '__m(?:p_m)?ain__'"
    r"|module '__m(?:p_m)?ain__' has no attribute '(?P<b>\w+)'"
)


def lost_function(text: str) -> str:
    """Return the function of a notebook that child processes could not find; "" if there is none.

    Its name is in Python's error message. Under spawn and forkserver a child imports the module of
    what it is sent, and `__main__` of a kernel is no module that can be imported.
    """
    match = _LOST.search(text)
    return (match["a"] or match["b"]) if match else ""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One code cell: how it ended, its outputs, and what the supervisor observed meanwhile."""

    number: int  # among the code cells, from 1
    tags: tuple[str, ...] = ()
    source: str = ""
    ending: Ending = Ending.NOT_TRIED
    why: str = ""
    all_cells: bool = False  # TIMED_OUT: the limit that came was that of all cells together
    # of the kernel, -N for signal N; None: it was there, or is not known
    exitcode: int | None = None
    stopped: str = ""
    error_type: str = ""  # of the exception that ended it, or that it was allowed to raise
    error_message: str = ""
    error_line: int = 0  # in the cell, from 1; 0: unknown
    traceback: str = ""  # as Jupyter shows it, without colours
    outputs: Outputs = ()
    submitted: Outputs = ()  # the same, as they were handed in
    submitted_count: int = 0  # the execution count that was handed in; 0: none
    seconds: float = 0.0
    trace: Trace = field(default_factory=Trace)

    @property
    def name(self) -> str:
        """The cell as messages name it."""
        return f"code cell {self.number}" + (f" ({', '.join(self.tags)})" if self.tags else "")

    @property
    def error_source(self) -> str:
        """The line of the cell that raised."""
        lines = self.source.splitlines()
        return lines[self.error_line - 1].strip() if 0 < self.error_line <= len(lines) else ""

    @property
    def printed(self) -> str:
        """What was written to the standard output."""
        return _stream(self.outputs, "stdout")

    @property
    def stderr(self) -> str:
        """What was written to the standard error, by child processes too."""
        return _stream(self.outputs, "stderr")

    @property
    def text(self) -> str:
        """What was printed, and the plain text of all that was shown."""
        return shown_text(self.outputs)

    @property
    def html(self) -> tuple[str, ...]:
        """What was shown as HTML, such as tables."""
        return self.shown("text/html")

    @property
    def images(self) -> tuple[str, ...]:
        """The images that were shown: SVG as text, all others in base64."""
        kinds = ("image/png", "image/jpeg", "image/svg+xml", "image/gif")
        return tuple(image for kind in kinds for image in self.shown(kind))

    def shown(self, mime: str) -> tuple[str, ...]:
        """Return what was shown with a MIME type."""
        return _shown(self.outputs, mime)


def shown_text(outputs: Outputs) -> str:
    """Return what outputs of a cell print, and the plain text of all that they show."""
    return _stream(outputs, "stdout") + "".join(
        f"{text}\n" for text in _shown(outputs, "text/plain")
    )


def _shown(outputs: Outputs, mime: str) -> tuple[str, ...]:
    bundles = [output["data"] for output in outputs if isinstance(output.get("data"), dict)]
    return tuple(_text(bundle[mime]) for bundle in bundles if mime in bundle)


def _stream(outputs: Outputs, name: str) -> str:
    mine = [
        each for each in outputs if each.get("output_type") == "stream" and each.get("name") == name
    ]
    return "".join(_text(each.get("text", "")) for each in mine)


def _text(value: object) -> str:
    """Return a text that nbformat may have as a list of lines."""
    if isinstance(value, list):
        return "".join(map(str, value))
    return value if isinstance(value, str) else ""
