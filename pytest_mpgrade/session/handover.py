"""What the parent of a grading has found already, and hands to the pytest that grades.

The assignment and the submission are looked at once: a second look could find something else.
"""

from __future__ import annotations

import os
import pickle
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from pytest_mpgrade.records import Assignment, Submission


@dataclass(frozen=True, kw_only=True, eq=False)  # pytest keeps plugins in a set
class Handover:
    """The assignment, with the limits that a user asked for, and the submission.

    It is a plugin of the pytest that it is handed to.
    """

    assignment: Assignment
    submission: Submission


@contextmanager
def as_input(handover: Handover) -> Iterator[IO[bytes]]:
    """Yield a file that can be the standard input of the process that takes the handover."""
    with tempfile.TemporaryFile() as file:
        pickle.dump(handover, file)
        file.flush()
        file.seek(0)
        yield file


def taken() -> Handover:
    """Take the handover from standard input, and leave nothing there for others."""
    with open(0, "rb", closefd=False) as file:
        handover: Handover = pickle.load(file)  # noqa: S301 - our parent has written it
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return handover
