"""Words and characters that are safe to show.

Every report needs them before it may show text that a student's code could have written.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence

_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Terminal controls (C0, DEL, C1), line separators, text direction, lone surrogates.

Tab and newline are harmless.
"""

_ASCII = str.maketrans(
    {
        "…": "...",
        "─": "-",
        "━": "-",
        "–": "-",
        "—": "-",
        "×": "x",
        "\u2019": "'",
        "“": '"',
        "”": '"',
        "·": "-",
        "✓": "ok",
        "✗": "FAILED",
    }
)


def clean(text: str) -> str:
    r"""Show what a terminal would obey, and what UTF-8 cannot hold, as escapes.

    Examples are ``\x1b`` and ``\udc80``. Every message, file name and printed line passes here
    before it is written to a file or a terminal, so that no submission can repaint a teacher's
    screen, hide a line, or make a result file unreadable.
    """
    return _UNSAFE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def one_line(text: str) -> str:
    """Return *text* cleaned and on one line, for tables and lists."""
    return " ".join(clean(text).split())


def encodable(text: str, encoding: str | None) -> str:
    """Return *text* in characters that *encoding* has.

    Our own signs become ASCII look-alikes, others become escapes.
    """
    codec = encoding or "ascii"
    try:
        text.encode(codec)
    except UnicodeEncodeError:
        return text.translate(_ASCII).encode(codec, "backslashreplace").decode(codec)
    return text


def no_commands(text: str) -> str:
    """Return *text* in which GitHub Actions finds none of its commands.

    They are ``::name::`` and ``##[name]``. It obeys all that a step prints, and what a grading
    prints has words of the submission in it.
    """
    return re.sub(r":(?=:)|##(?=\[)", r"\g<0> ", text)


def exit_words(
    code: int | None, *, noun: str = "exit code", unknown: str = "not seen to end"
) -> str:
    """Word an exit status as multiprocessing and subprocess give it.

    For example, -15 is ``killed by SIGTERM``.
    """
    if code is None:
        return unknown
    if code >= 0:
        return f"{noun} {code}"
    return f"killed by {signal_name(-code)}"


def signal_name(number: int) -> str:
    """Return ``SIGTERM`` for 15, ``signal 99`` for one that has no name here."""
    try:
        return signal.Signals(number).name
    except ValueError:
        pass
    first, last = int(getattr(signal, "SIGRTMIN", 1)), int(getattr(signal, "SIGRTMAX", 0))
    return f"SIGRTMIN+{number - first}" if first <= number <= last else f"signal {number}"


def joined(words: Sequence[str]) -> str:
    """Join words as in a sentence: ``fork, spawn and forkserver``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


_MOST_NAMES = 10
"""Names in one line of many."""


def some_of(names: Sequence[str]) -> str:
    """Return how many names there are, and the first of them: ``12 (ada; ben; … and 2 more)``."""
    shown = "; ".join(names[:_MOST_NAMES])
    rest = len(names) - _MOST_NAMES
    return f"{len(names)} ({shown}{f' and {rest} more' if rest > 0 else ''})"


def counted(number: int, noun: str) -> str:
    """Return ``1 check``, ``2 checks``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def points(value: float) -> str:
    """Return points as a teacher writes them: ``17``, ``2.5``, ``0.33``."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def first_paragraph(text: str) -> str:
    """Return the first paragraph of a text on one line; "" where there is none."""
    return " ".join(text.strip().partition("\n\n")[0].split())
