"""Grade all submissions of a class, and keep the gradebook up to date after each."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import replace
from pathlib import Path

from pytest_mpgrade.batch.adjustments import Settled
from pytest_mpgrade.batch.job import Executor, Job, one_by_one
from pytest_mpgrade.batch.mapping import MAPPING, Mapped, with_results, write_mapping
from pytest_mpgrade.grade.earlier import kept, standing
from pytest_mpgrade.grade.grading import Grading, failed_grading, grade
from pytest_mpgrade.grade.pytest_run import LOG, Options
from pytest_mpgrade.records import Assignment, Status
from pytest_mpgrade.report.tables import class_gradebook
from pytest_mpgrade.system import log_lock
from pytest_mpgrade.system.text import clean


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
    only: Collection[str] | None = None,
    settled: Settled | None = None,
    mapping: Sequence[Mapped] = (),
    begun: Callable[[Job], None] = lambda _: None,
) -> Generator[Grading, None, None]:
    """Grade all jobs and yield each result when it is done.

    The gradebook below *out* is written after each one, and *mapping* at the end, with who got no
    grade. A submission that cannot be graded has a result, too. With *resume*, results of an
    earlier batch are taken over where nothing has changed since. With *only*, the submissions of
    these names are graded, and all others keep the result that they have, whatever has changed;
    these come last, and who has none gets none. *settled* applies what people have decided about
    points. *begun* is called with each job before it is graded, in the process that grades. Raises
    UsageError where *out* cannot be written.
    """
    tables = _Tables(assignment, out, settled or Settled(criteria=assignment.criteria))
    todo: list[Job] = []
    one = Told(functools.partial(_grade, assignment=assignment, out=out, options=options), begun)
    choose = functools.partial(_earlier, resume=resume, only=only)
    standing_ones: list[Grading] = []
    try:
        for job in jobs:
            grading, again = choose(job, assignment, out, options)
            todo += [job] * again
            if grading is None:
                continue
            if only is None:
                yield tables.add(grading)
            else:
                standing_ones.append(tables.add(grading))
        tables.write()
        for grading in execute(todo, one):
            whole = tables.add(grading)
            tables.write()
            yield whole
        yield from standing_ones  # nobody has asked for these: they come last
    finally:
        if mapping:
            write_mapping(with_results(mapping, tables.ended), out / MAPPING)


def _earlier(
    job: Job,
    assignment: Assignment,
    out: Path,
    options: Options,
    *,
    resume: bool,
    only: Collection[str] | None,
) -> tuple[Grading | None, bool]:
    """Return the result of an earlier batch that counts, if any, and whether the job is to grade.

    See `grade_jobs` for *resume* and *only*.
    """
    own = replace(options, id=job.id, folder=job.folder)
    if only is not None:
        if clean(job.id) in only:
            return None, True
        return standing(job.path, assignment, out, options=own), False
    found = kept(job.path, assignment, out, options=own) if resume else None
    return found, found is None


class _Tables:
    """What a batch writes while it runs: the gradebook, and how each grading has ended."""

    def __init__(self, assignment: Assignment, out: Path, settle: Settled) -> None:
        self.ended: dict[str, tuple[Status, str]] = {}
        self._rows: list[class_gradebook.GradebookRow] = []
        self._assignment = assignment
        self._out = out
        self._settle = settle

    def add(self, grading: Grading) -> Grading:
        """Take in a grading; return it with what people have decided."""
        whole = self._settle(grading)
        result, criteria = whole.result, self._assignment.criteria
        self._rows.append(class_gradebook.row(result, criteria, self._settle.columns))
        self.ended[result.submission.id] = (result.status, result.reason)
        return whole

    def write(self) -> None:
        """Write the gradebook of what was taken in so far."""
        class_gradebook.write_gradebook(
            self._rows,
            self._assignment.criteria,
            self._out / class_gradebook.FILE,
            self._settle.columns,
        )


def _grade(job: Job, *, assignment: Assignment, out: Path, options: Options) -> Grading:
    chosen = replace(options, id=job.id, folder=job.folder)
    try:
        return grade(job.path, assignment, out, options=chosen)
    except Exception as error:
        return failed_grading(
            job.path, assignment, out, options=chosen, reason=f"{type(error).__name__}: {error}"
        )
