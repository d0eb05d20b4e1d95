"""Where commands print: what can be printed there, how wide, in colour or not. Light: every command imports it."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TextIO

from pytest_mpgrade.report.text import encodable, no_commands


def say(text: str, stream: TextIO | None = None) -> None:
    """Print *text*, to standard output by default; on GitHub nothing in it is a command."""
    out = stream or sys.stdout
    shown = no_commands(text) if os.environ.get("GITHUB_ACTIONS") == "true" else text
    print(encodable(shown, out.encoding), file=out, flush=True)


def width() -> int:
    """Return the columns to print in, 120 at most."""
    return min(shutil.get_terminal_size((80, 24)).columns, 120)


def color(stream: TextIO) -> bool:
    """Colour is for terminals only, and not where the user does not want it (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
