"""JPlag: a root folder with a folder for each submission, and a folder of base code (``-bc``).

The options are those of its CliOptions.java (version 6); what they say was not tried, since JPlag
is a Java archive that its users download.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_mpgrade.batch.plagiarism.program import Program
from pytest_mpgrade.submission import handed_in

SUBMISSIONS, BASE, REPORT = "submissions", "base-code", "report"


def jplag_layout(programs: Sequence[Program], base: Mapping[str, bytes], out: Path) -> str:
    """Write both folders below *out*; return the command that compares them."""
    for program in programs:
        _write(program.files, out / SUBMISSIONS / program.folder)
    words = ["java", "-jar", "jplag.jar", "-l", "python3"]
    if base:
        _write(base, out / BASE)
        words += ["-bc", str(out / BASE)]
    return shlex.join([*words, "-r", str(out / REPORT), str(out / SUBMISSIONS)])


def _write(files: Mapping[str, bytes], folder: Path) -> None:
    folder.mkdir(parents=True)
    for name, data in files.items():
        with handed_in.created(folder, name) as file:
            file.write(data)
