"""Grade many submissions: where they come from, and who runs them, can be exchanged; the results are the same."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from pytest_mpgrade import locked
from pytest_mpgrade.batch.settled import Settled
from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.grade import Grading, failed, grade, kept
from pytest_mpgrade.pytest_run import LOG, Options
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


class Told:
    """Grades a job, and tells before that it begins; sent to another process it grades, and tells nobody."""

    def __init__(self, grade: Callable[[Job], Grading], begun: Callable[[Job], None]) -> None:
        self._grade = grade
        self._begun = begun

    def __call__(self, job: Job) -> Grading:
        """Tell, then grade."""
        self._begun(job)
        return self._grade(job)

    def __reduce__(self) -> tuple[Any, ...]:
        """A display cannot be sent."""
        return functools.partial, (self._grade,)


def grade_all(
    source: str | Path, assignment: str | Assignment, out: str | Path, *, jobs: int = 0, resume: bool = False,
    options: Options | None = None, **choices: Any,
) -> Generator[ResultFile, None, None]:  # fmt: skip
    """Grade a class as `mpgrade batch` does, and yield each result as it comes; for scripts.

    *source*, *assignment* and *out* are those of the command, and so are the files below *out*, save `items.csv`.
    *jobs*: gradings at a time; 0: what this machine is good for. *options*: default with isolation required. *choices*:
    `layout`, `roster`, `overrides` and `due`, see `prepare.prepare`. What is wrong with any of these raises UsageError
    here, before anything is graded. Whoever closes the generator, or is interrupted, ends what runs.

    >>> from pytest_mpgrade import batch
    >>> for result in batch.grade_all("class", "./double", "out", jobs=2):
    ...     failed = [check.message for check in result.checks if check.outcome == "failed"]
    ...     print(result.submission.id, result.status, result.score, result.final, failed)
    ben graded 0.0 0.0 ['double(21) is not 42']
    """
    from pytest_mpgrade.assignment import find
    from pytest_mpgrade.batch import pool, prepare

    asked = find(assignment) if isinstance(assignment, str) else assignment
    wait_for_earlier(Path(out))
    ready = prepare.prepare(Path(source), asked, Path(out), **choices)
    chosen = options or Options(require_isolation=True)
    executor = pool.SideBySide(jobs or pool.slots(), chosen.stop)
    graded = run(ready.source.jobs, asked, Path(out), chosen, executor, resume=resume, settled=ready.settled)
    return _results(graded)


def _results(graded: Generator[Grading, None, None]) -> Generator[ResultFile, None, None]:
    with contextlib.closing(graded):
        for grading in graded:
            yield grading.result


def wait_for_earlier(out: Path, say: Callable[[str], None] = lambda _: None) -> None:
    """Wait until the gradings of an earlier batch, one that was killed, are gone: two would write into one result.

    Raises UsageError where they are not gone soon: then another batch is at work.
    """
    for log in sorted(out.glob(f"*/{LOG}")):
        if not locked.is_free(log):
            say(f"waiting for an earlier grading to end: {log.parent}")
            locked.wait(log)


def run(
    jobs: Sequence[Job],
    assignment: Assignment,
    out: Path,
    options: Options,
    execute: Executor = one_by_one,
    *,
    resume: bool = False,
    settled: Settled | None = None,
    begun: Callable[[Job], None] = lambda _: None,
) -> Generator[Grading, None, None]:
    """Grade all jobs and yield their results as they come; the gradebook below *out* has always all there are so far.

    A submission that cannot be graded is a result like any other. *resume*: what an earlier batch has graded is taken
    from there, where nothing has changed since. *settled*: what people decided about points. *begun* is called with
    each job before it is graded, where that is done. Raises UsageError where *out* cannot be written.
    """
    settle = settled or Settled(criteria=assignment.criteria)
    rows: list[gradebook.Row] = []
    todo: list[Job] = []

    def done(grading: Grading) -> Grading:
        whole = settle(grading)
        rows.append(gradebook.row(whole.result, assignment.criteria, settle.columns))
        return whole

    one = Told(functools.partial(_grade, assignment=assignment, out=out, options=options), begun)
    for grading in _kept(jobs, todo, assignment, out, options) if resume else ():
        yield done(grading)
    _keep(rows, assignment, out, settle)
    for grading in execute(todo if resume else jobs, one):
        whole = done(grading)
        _keep(rows, assignment, out, settle)
        yield whole


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


def _keep(rows: Sequence[gradebook.Row], assignment: Assignment, out: Path, settled: Settled) -> None:
    try:
        gradebook.write(rows, assignment.criteria, out / GRADEBOOK, settled.columns)
    except OSError as error:
        raise UsageError(f"cannot write {out / GRADEBOOK}: {error.strerror}") from error


def _grade(job: Job, *, assignment: Assignment, out: Path, options: Options) -> Grading:
    chosen = replace(options, id=job.id, folder=job.folder)
    try:
        return grade(job.path, assignment, out, options=chosen)
    except Exception as error:
        return failed(job.path, assignment, out, options=chosen, reason=f"{type(error).__name__}: {error}")
