"""What an assignment allows: limits of a run, rules of speed, packages; part of the records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one run may use, all its processes together unless a comment says otherwise."""

    seconds: float = 20.0  # one call, backstop; hangs are proven long before
    import_seconds: float = 20.0
    patience: float = 4.0  # for which the grader waits for a tree that only naps
    submission_seconds: float = 1800.0  # the whole grading
    processes: int = 256  # at a time
    memory_bytes: int = 2_000_000_000
    cpu_seconds: float = 300.0
    file_bytes: int = 256_000_000  # one file
    disk_bytes: int = 512_000_000  # scratch and shared memory, each
    answer_bytes: int = 64_000_000
    output_bytes: int = 1_000_000  # printed; more is cut off, and is no fault


@dataclass(frozen=True, kw_only=True)
class SpeedRules:
    """When a pattern slower than the reference's costs points, and how long timing takes."""

    free: float = 1.15  # times the reference's cost per task
    lost: float = 1.5  # here all points are; linear in between
    # more than the reference's until all workers have arrived; all points at twice that
    starting_seconds: float = 1.0
    # in which pairs are taken; up to three times as long where the machine is busy or slow
    seconds: float = 8.0
    pairs: int = 15  # at most


@dataclass(frozen=True, kw_only=True)
class ExploreRules:
    """How long schedules are tried, and how many threads one holds."""

    seconds: float = 8.0  # all explorations of a grading together
    depth: int = 3  # holds of one schedule, at most
    replay: str = ""  # the token of the only schedule that is played


@dataclass(frozen=True, kw_only=True)
class NotebookRules:
    """How a notebook is executed: an assignment with these has a notebook in place of a module."""

    cell_seconds: float = 60.0  # one cell
    seconds: float = 300.0  # all cells together
    output_bytes: int = 20_000_000  # kept of what they put out; more is left out, and is no fault
    variables: tuple[str, ...] = ()  # that tests ask for
    files: str = ""  # folder with data, found by the notebook in its current folder, read-only
    python: str = ""  # the kernel's interpreter; "": the grader's own


@dataclass(frozen=True, kw_only=True)
class EnvironmentRules:
    """What a submission finds installed."""

    # that the course allows besides the standard library, as pip names them
    packages: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class LateRules:
    """What handing in late costs.

    Its values are expressions of `course/expression.py`, about the names of `course/late.py`.
    """

    due: datetime | None = None  # with its offset from UTC
    penalty: str = "0"  # points that are taken off
    drop: str = "0"  # where this is true no points are left
