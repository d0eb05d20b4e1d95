"""Archives and names that course systems take in."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_mpgrade.system import atomic_write
from pytest_mpgrade.system.text import counted, one_line

PAGE = "feedback.html"
"""The name of a student's page."""
_NO_NAME = re.compile(r'[/\\:*?"<>|\x00-\x1f\x7f]+')
"""What no file may have in its name on some system."""
_MOST_NAMES = 5
"""Submissions that are named in a line; of more only the number is told."""


def zip_bytes(members: Mapping[str, bytes], executable: Sequence[str] = ()) -> bytes:
    """Return a zip; the same members always give the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix; otherwise unpackers ignore file modes
            entry.external_attr = (0o100755 if name in executable else 0o100644) << 16
            archive.writestr(entry, data)
    return packed.getvalue()


def write_zip(members: Mapping[str, bytes], path: Path, executable: Sequence[str] = ()) -> None:
    """Write a zip. Raises UsageError where that fails."""
    atomic_write.write_bytes(zip_bytes(members, executable), path)


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
