"""Turn jobs into specs that can travel, and what nodes return into results below *out*.

The results lie where those of a batch on this machine would.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_mpgrade import __version__
from pytest_mpgrade.batch.cluster import bundle, submission_worker
from pytest_mpgrade.batch.cluster.spec import GradingSpec, key
from pytest_mpgrade.batch.cluster.store import Store
from pytest_mpgrade.batch.job import Job
from pytest_mpgrade.course.assignment import fingerprint, reference_folder
from pytest_mpgrade.course.tables import with_limits
from pytest_mpgrade.errors import UngradableError, UsageError, error_words
from pytest_mpgrade.grade.grading import Grading, failed_grading, refused
from pytest_mpgrade.grade.pytest_run import Options
from pytest_mpgrade.records import RESULT_FILE, Assignment
from pytest_mpgrade.report import result_json
from pytest_mpgrade.system.text import one_line

PLACE = ".cluster"
"""The folder below the output folder with what a batch on a cluster keeps between two runs."""


@dataclass(frozen=True, kw_only=True)
class Carrier:
    """Packs what nodes need for grading, and unpacks what they return."""

    assignment: Assignment
    out: Path
    options: Options
    cores: int  # for each grading

    @property
    def place(self) -> Path:
        """Where the batch keeps its own files."""
        return self.out.resolve() / PLACE

    def store(self) -> Store:
        """Return the store of this batch."""
        return Store.make(self.place / "results")

    def spec(self, job: Job) -> GradingSpec:
        """Return the spec of a job. Raises UsageError where its files cannot travel."""
        path = Path(os.path.realpath(job.path))
        submission = f"submission/{path.name}"
        files = bundle.pack({submission: path, **_assignment(self.assignment)})
        options, limited = _options(self.options), with_limits(self.assignment, self.options.limits)
        return GradingSpec(
            key=key(files, job.id, fingerprint(limited), __version__, *options),
            id=job.id,
            submission=submission,
            options=options,
            seconds=self.options.seconds or limited.limits.submission_seconds,
            cores=self.cores,
            version=__version__,
            store=str(self.place / "results"),
            files=files,
        )

    def known(self, jobs: Sequence[Job], todo: list[tuple[Job, GradingSpec]]) -> Iterator[Grading]:
        """Yield the results that exist already; add all other jobs to *todo*.

        A job whose files cannot travel gets a result that says why.
        """
        store = self.store()
        for job in jobs:
            try:
                spec = self.spec(job)
            except UngradableError as error:
                yield refused(
                    job.path, self.assignment, self.out, options=self._options_of(job), error=error
                )
                continue
            # No content of one submission may prevent the result of another.
            except Exception as error:
                yield self.failed(job, error_words(error))
                continue
            if found := store.final(spec.key):
                yield self.received(job, found)
            else:
                todo.append((job, spec))

    def received(self, job: Job, data: bytes) -> Grading:
        """Put what a node returned into the submission's folder; where it is no result, say so.

        Nodes are not trusted to return anything sensible.
        """
        try:
            return self._received(job, data)
        except Exception as error:
            return self.failed(job, f"what the node brought cannot be read: {error_words(error)}")

    def _received(self, job: Job, data: bytes) -> Grading:
        folder = self.out / job.folder
        for name in (RESULT_FILE, submission_worker.PROBLEM):
            (folder / name).unlink(missing_ok=True)
        bundle.unpack_bundle(data, folder)
        problem = _taken(folder / submission_worker.PROBLEM)
        if not (folder / RESULT_FILE).is_file():
            return self.failed(
                job, problem or "the node that graded it brought no result; grade it again"
            )
        result = result_json.read_result(folder / RESULT_FILE)
        # The node graded a copy; the result names it as the user did.
        part = replace(result.submission, path=one_line(str(job.path)))
        node: dict[str, object] = json.loads(_taken(folder / submission_worker.NODE) or "{}")
        whole = replace(result, submission=part, environment={**result.environment, **node})
        result_json.write_result(whole, folder / RESULT_FILE)
        return Grading(result=whole, folder=folder)

    def failed(self, job: Job, reason: str) -> Grading:
        """Return a result that says why a submission has no other."""
        return failed_grading(
            job.path, self.assignment, self.out, options=self._options_of(job), reason=reason
        )

    def _options_of(self, job: Job) -> Options:
        return replace(self.options, id=job.id, folder=job.folder)


def _assignment(assignment: Assignment) -> dict[str, Path]:
    """Return all that the tests of an assignment need, by the path at which it travels.

    That is the files beside the tests, the reference, and the data of a notebook.
    """
    folder = Path(assignment.folder)
    places = {f"assignment/{each.name}": each for each in folder.iterdir() if each.is_file()}
    if reference := reference_folder(assignment):
        places["assignment/reference"] = reference
    if assignment.notebook and assignment.notebook.files:
        data = Path(assignment.notebook.files)
        name = data.relative_to(folder).as_posix()
        if ".." in name:
            raise UsageError(
                f"the data in {data} cannot travel: put it into the assignment's folder"
            )
        places[f"assignment/{name}"] = data
    return places


def _options(options: Options) -> tuple[str, ...]:
    """Return options as words of the command line of `mpgrade grade`."""
    required = "--require-isolation" if options.require_isolation else "--no-require-isolation"
    words = [f"--observer={options.observer}", f"--isolation={options.isolation}", required]
    words += [f"--limit={each}" for each in options.limits]
    return tuple(words + [f"--time-limit={options.seconds}"] * bool(options.seconds))


def _taken(path: Path) -> str:
    """Return the text of a file, and remove it."""
    if not path.is_file():
        return ""
    text = path.read_text("utf-8")
    path.unlink()
    return text
