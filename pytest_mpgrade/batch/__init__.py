"""Grade many submissions: where they come from, and who runs them, can be exchanged; the results are the same."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.grade import Grading, failed, grade, kept
from pytest_mpgrade.pytest_run import Options
from pytest_mpgrade.records import Assignment
from pytest_mpgrade.report import gradebook

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
    jobs: Sequence[Job],
    assignment: Assignment,
    out: Path,
    options: Options,
    execute: Executor = one_by_one,
    *,
    resume: bool = False,
) -> Iterator[Grading]:
    """Grade all jobs and yield their results as they come; the gradebook below *out* has always all there are so far.

    A submission that cannot be graded is a result like any other. *resume*: what an earlier batch has graded is taken
    from there, where nothing has changed since. Raises UsageError where *out* cannot be written.
    """
    rows: list[gradebook.Row] = []
    todo: list[Job] = []
    one = functools.partial(_grade, assignment=assignment, out=out, options=options)
    for grading in _kept(jobs, todo, assignment, out, options) if resume else ():
        rows.append(gradebook.row(grading.result, assignment.criteria))
        yield grading
    _keep(rows, assignment, out)
    for grading in execute(todo if resume else jobs, one):
        rows.append(gradebook.row(grading.result, assignment.criteria))
        _keep(rows, assignment, out)
        yield grading


def _kept(
    jobs: Sequence[Job], todo: list[Job], assignment: Assignment, out: Path, options: Options
) -> Iterator[Grading]:
    """Yield what an earlier batch has graded; all others are added to *todo*."""
    for job in jobs:
        found = kept(job.path, assignment, out, options=replace(options, id=job.id, folder=job.folder))
        if found is None:
            todo.append(job)
        else:
            yield found


def _keep(rows: Sequence[gradebook.Row], assignment: Assignment, out: Path) -> None:
    try:
        gradebook.write(rows, assignment.criteria, out / GRADEBOOK)
    except OSError as error:
        raise UsageError(f"cannot write {out / GRADEBOOK}: {error.strerror}") from error


def _grade(job: Job, *, assignment: Assignment, out: Path, options: Options) -> Grading:
    chosen = replace(options, id=job.id, folder=job.folder)
    try:
        return grade(job.path, assignment, out, options=chosen)
    except Exception as error:
        return failed(job.path, assignment, out, options=chosen, reason=f"{type(error).__name__}: {error}")
