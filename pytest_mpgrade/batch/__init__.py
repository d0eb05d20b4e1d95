"""Grade many submissions.

The source of the submissions and the executor of the gradings can be exchanged. The results are the
same with each.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from pathlib import Path
from typing import Any

from pytest_mpgrade.batch import local_pool, plan
from pytest_mpgrade.batch.run import grade_jobs, wait_for_earlier
from pytest_mpgrade.course.assignment import find_assignment
from pytest_mpgrade.grade.grading import Grading
from pytest_mpgrade.grade.pytest_run import Options
from pytest_mpgrade.records import Assignment
from pytest_mpgrade.report.result_json import ResultFile

__all__ = ["grade_all"]


def grade_all(
    source: str | Path,
    assignment: str | Assignment,
    out: str | Path,
    *,
    jobs: int = 0,
    resume: bool = False,
    options: Options | None = None,
    **choices: Any,
) -> Generator[ResultFile, None, None]:
    """Grade a class as `mpgrade batch` does, and yield each result as it comes; for scripts.

    *source*, *assignment* and *out* are those of the command, and so are the files below *out*,
    except `items.csv`. *jobs* is the number of gradings at a time; with 0 it depends on this
    machine. *options* requires isolation by default. *choices* are `layout`, `roster`, `overrides`
    and `due`, see `plan.prepare`. A mistake in any of these raises UsageError here, before anything
    is graded. Running gradings are ended when the caller closes the generator or is interrupted.

    >>> from pytest_mpgrade import batch
    >>> for result in batch.grade_all("class", "./double", "out", jobs=2):
    ...     failed = [check.message for check in result.checks if check.outcome == "failed"]
    ...     print(result.submission.id, result.status, result.score, result.final, failed)
    ben graded 0.0 0.0 ['double(21) is not 42']
    """
    asked = find_assignment(assignment) if isinstance(assignment, str) else assignment
    wait_for_earlier(Path(out))
    ready = plan.prepare(Path(source), asked, Path(out), **choices)
    chosen = options or Options(require_isolation=True)
    executor = local_pool.SideBySide(jobs or local_pool.slots(), chosen.stop)
    graded = grade_jobs(
        ready.source.jobs,
        asked,
        Path(out),
        chosen,
        executor,
        resume=resume,
        settled=ready.settled,
        mapping=ready.source.mapping,
    )
    return _results(graded)


def _results(graded: Generator[Grading, None, None]) -> Generator[ResultFile, None, None]:
    with contextlib.closing(graded):
        for grading in graded:
            yield grading.result
