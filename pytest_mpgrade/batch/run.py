"""Grade all submissions of a class, and keep the gradebook up to date after each."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from pytest_mpgrade.batch.adjustments import Settled
from pytest_mpgrade.batch.job import Executor, Job, one_by_one
from pytest_mpgrade.batch.mapping import MAPPING, Mapped, with_results, write_mapping
from pytest_mpgrade.grade.earlier import kept
from pytest_mpgrade.grade.grading import Grading, failed_grading, grade
from pytest_mpgrade.grade.pytest_run import LOG, Options
from pytest_mpgrade.records import Assignment, Status
from pytest_mpgrade.report.tables import class_gradebook
from pytest_mpgrade.system import log_lock

GRADEBOOK = "gradebook.csv"


class Told:
    """Grades a job, and announces before that it begins.

    Pickled for another process, it only grades: a display cannot be sent.
    """

    def __init__(self, grade: Callable[[Job], Grading], begun: Callable[[Job], None]) -> None:
        self._grade = grade
        self._begun = begun

    def __call__(self, job: Job) -> Grading:
        """Announce the job, then grade it."""
        self._begun(job)
        return self._grade(job)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle only the function that grades."""
        return functools.partial, (self._grade,)


def wait_for_earlier(out: Path, say: Callable[[str], None] = lambda _: None) -> None:
    """Wait until the gradings that a killed batch has left behind have ended.

    Two gradings would write into one result. Raises UsageError where they do not end soon: then
    another batch is still at work.
    """
    for log in sorted(out.glob(f"*/{LOG}")):
        if not log_lock.is_free(log):
            say(f"waiting for an earlier grading to end: {log.parent}")
            log_lock.wait_for_log(log)


def grade_jobs(
    jobs: Sequence[Job],
    assignment: Assignment,
    out: Path,
    options: Options,
    execute: Executor = one_by_one,
    *,
    resume: bool = False,
    settled: Settled | None = None,
    mapping: Sequence[Mapped] = (),
    begun: Callable[[Job], None] = lambda _: None,
) -> Generator[Grading, None, None]:
    """Grade all jobs and yield each result when it is done.

    The gradebook below *out* is written after each one, and *mapping* at the end, with who got no
    grade. A submission that cannot be graded has a
    result, too. With *resume*, results of an earlier batch are taken over where nothing has changed
    since. *settled* applies what people have decided about points. *begun* is called with each job
    before it is graded, in the process that grades. Raises UsageError where *out* cannot be
    written.
    """
    settle = settled or Settled(criteria=assignment.criteria)
    rows: list[class_gradebook.GradebookRow] = []
    ended: dict[str, tuple[Status, str]] = {}
    todo: list[Job] = []

    def done(grading: Grading) -> Grading:
        whole = settle(grading)
        rows.append(class_gradebook.row(whole.result, assignment.criteria, settle.columns))
        ended[whole.result.submission.id] = (whole.result.status, whole.result.reason)
        return whole

    one = Told(functools.partial(_grade, assignment=assignment, out=out, options=options), begun)
    try:
        for grading in _kept(jobs, todo, assignment, out, options) if resume else ():
            yield done(grading)
        _keep(rows, assignment, out, settle)
        for grading in execute(todo if resume else jobs, one):
            whole = done(grading)
            _keep(rows, assignment, out, settle)
            yield whole
    finally:
        if mapping:
            write_mapping(with_results(mapping, ended), out / MAPPING)


def _kept(
    jobs: Sequence[Job], todo: list[Job], assignment: Assignment, out: Path, options: Options
) -> Iterator[Grading]:
    """Yield the results of an earlier batch that still hold; add all other jobs to *todo*."""
    for job in jobs:
        grading = kept(
            job.path, assignment, out, options=replace(options, id=job.id, folder=job.folder)
        )
        if grading is None:
            todo.append(job)
        else:
            yield grading


def _keep(
    rows: Sequence[class_gradebook.GradebookRow],
    assignment: Assignment,
    out: Path,
    settled: Settled,
) -> None:
    class_gradebook.write_gradebook(rows, assignment.criteria, out / GRADEBOOK, settled.columns)


def _grade(job: Job, *, assignment: Assignment, out: Path, options: Options) -> Grading:
    chosen = replace(options, id=job.id, folder=job.folder)
    try:
        return grade(job.path, assignment, out, options=chosen)
    except Exception as error:
        return failed_grading(
            job.path, assignment, out, options=chosen, reason=f"{type(error).__name__}: {error}"
        )
