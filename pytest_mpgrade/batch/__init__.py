"""Grade many submissions: where they come from, and who runs them, can be exchanged; the results are the same."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.grade import Grading, failed, grade
from pytest_mpgrade.pytest_run import Options
from pytest_mpgrade.records import Assignment
from pytest_mpgrade.report import gradebook
from pytest_mpgrade.report.result_json import ResultFile

GRADEBOOK = "gradebook.csv"


@dataclass(frozen=True, kw_only=True)
class Job:
    """One submission to grade, and the name of its own folder below the output folder."""

    id: str
    path: Path
    folder: str


class Executor(Protocol):
    """Runs jobs in its own way: one by one, several at a time, on other machines."""

    def __call__(self, jobs: Sequence[Job], grade: Callable[[Job], Grading]) -> Iterator[Grading]:
        """Call *grade* once with each job; yield what it returns as it comes, in any order."""
        ...


def one_by_one(jobs: Sequence[Job], grade: Callable[[Job], Grading]) -> Iterator[Grading]:
    """Run the jobs here, one after the other: no submission disturbs another one's timings."""
    return map(grade, jobs)


def run(
    jobs: Sequence[Job], assignment: Assignment, out: Path, options: Options, execute: Executor = one_by_one
) -> Iterator[Grading]:
    """Grade all jobs and yield their results as they come; the gradebook below *out* has always all there are so far.

    A submission that cannot be graded is a result like any other. Raises UsageError where *out* cannot be written.
    """
    results: list[ResultFile] = []
    _keep(results, assignment, out)
    for grading in execute(jobs, functools.partial(_grade, assignment=assignment, out=out, options=options)):
        results.append(grading.result)
        _keep(results, assignment, out)
        yield grading


def _keep(results: Sequence[ResultFile], assignment: Assignment, out: Path) -> None:
    try:
        gradebook.write(results, assignment.criteria, out / GRADEBOOK)
    except OSError as error:
        raise UsageError(f"cannot write {out / GRADEBOOK}: {error.strerror}") from error


def _grade(job: Job, *, assignment: Assignment, out: Path, options: Options) -> Grading:
    chosen = replace(options, id=job.id, folder=job.folder)
    try:
        return grade(job.path, assignment, out, options=chosen)
    except Exception as error:
        return failed(job.path, assignment, out, options=chosen, reason=f"{type(error).__name__}: {error}")
