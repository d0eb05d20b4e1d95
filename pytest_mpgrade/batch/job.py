"""One submission of a class, and the protocol of executors, which run the gradings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pytest_mpgrade.grade.grading import Grading


@dataclass(frozen=True, kw_only=True)
class Job:
    """One submission to grade, and the name of its own folder below the output folder."""

    id: str
    path: Path
    folder: str


class Executor(Protocol):
    """Runs jobs in its own way: one by one, several at a time, or on other machines."""

    def __call__(self, jobs: Sequence[Job], grade: Callable[[Job], Grading]) -> Iterator[Grading]:
        """Call *grade* once with each job; yield what it returns as it comes, in any order."""
        ...


def one_by_one(jobs: Sequence[Job], grade: Callable[[Job], Grading]) -> Iterator[Grading]:
    """Run the jobs one after the other, so that no submission disturbs the timings of another."""
    return map(grade, jobs)
