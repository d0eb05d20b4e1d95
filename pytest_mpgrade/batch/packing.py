"""Names that course systems take in, and what is said where feedback cannot be handed back."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pytest_mpgrade.system.text import counted, one_line

PAGE = "feedback.html"
"""The name of a student's page."""
_NO_NAME = re.compile(r'[/\\:*?"<>|\x00-\x1f\x7f]+')
"""What no file may have in its name on some system."""
_MOST_NAMES = 5
"""Submissions that are named in a line; of more only the number is told."""


def file_name(text: str) -> str:
    """Return a text as the name of a file in an archive, which leads nowhere else."""
    # Not by underscores, at which course systems divide a name.
    name = _NO_NAME.sub("-", one_line(text))
    # They pass over hidden files and backups.
    return re.sub(r"^[.~\s]+", "-", name) or "-"


def needed(system: str, where: str) -> str:
    """Return what is said where nobody is known of whom the system's own download has a name.

    *where* that download is got in the system.
    """
    return (
        f"nothing was written, because only the names in {system}'s own download say whose feedback"
        f" is whose: get it ({where}), and name the zip with --source, or grade it with mpgrade"
        " batch"
    )


def left_out(ids: Sequence[str], why: str) -> str:
    """Return a line about the submissions for which nothing could be written."""
    names = ", ".join(one_line(id) for id in ids[:_MOST_NAMES])
    more = f" and {len(ids) - _MOST_NAMES} more" if len(ids) > _MOST_NAMES else ""
    return f"nothing for {counted(len(ids), 'submission')} ({names}{more}): {why}"
