"""Dolos: a zip with `info.csv` in its root, for its command and its web page alike.

The columns are those that @dodona/dolos-lib 3.5 reads (dataset.js): `filename`, relative to the
root; `full_name`; `label`; `created_at`; and `ignored`, which is ``true`` for the one file with the
starter's code. That library has read such a zip. Of several files of one student each is compared
with all others.
"""

from __future__ import annotations

import csv
import io
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from pytest_mpgrade.batch.plagiarism.program import Program
from pytest_mpgrade.system.text import clean
from pytest_mpgrade.system.timestamps import instant
from pytest_mpgrade.system.zip_files import write_zip

ARCHIVE, INFO, BASE = "submissions.zip", "info.csv", "base-code.py"


def dolos_layout(programs: Sequence[Program], base: Mapping[str, bytes], out: Path) -> str:
    """Write the zip below *out*; return the command that shows what is similar in it."""
    members: dict[str, bytes] = {}
    rows = [("filename", "full_name", "label", "created_at", "ignored")]
    for program in programs:
        for name, data in program.files.items():
            path = f"{program.folder}/{name}"
            members[path] = data
            rows.append((path, clean(program.id), "", _time(program.when), ""))
    if base:
        members[BASE] = b"\n\n".join(base.values())
        rows.append((BASE, "", "", "", "true"))
    table = io.StringIO()
    csv.writer(table, lineterminator="\n").writerows(rows)
    write_zip(
        {INFO: table.getvalue().encode("utf-8", "backslashreplace"), **members}, out / ARCHIVE
    )
    return shlex.join(["dolos", "run", "-f", "web", "-l", "python", str(out / ARCHIVE)])


def _time(text: str) -> str:
    """Return a time in a form that JavaScript reads; "" where there is none.

    One without an offset is taken for local: it only orders the submissions of a class.
    """
    with suppress(ValueError):
        return instant(text, datetime.now().astimezone().tzinfo).isoformat()
    return ""
