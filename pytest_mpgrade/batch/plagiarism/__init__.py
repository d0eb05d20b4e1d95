"""A class laid out for a plagiarism checker, which finds similar programs on the teacher's machine.

A checker is a small module with a function that writes the programs, and what all of them have from
the starter, below a new folder, and returns the command to run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pytest_mpgrade.batch.plagiarism import dolos, jplag
from pytest_mpgrade.batch.plagiarism.program import Program

CHECKERS: Mapping[str, Callable[[Sequence[Program], Mapping[str, bytes], Path], str]] = {
    "jplag": jplag.jplag_layout,
    "dolos": dolos.dolos_layout,
}
"""The checkers, by the names that users give."""
