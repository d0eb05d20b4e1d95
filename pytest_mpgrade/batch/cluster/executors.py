"""Choose the executor of a batch by the user's options.

Dask is imported only where the options ask for it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pytest_mpgrade.batch import local_pool
from pytest_mpgrade.batch.cluster.slurm_array import Array
from pytest_mpgrade.batch.cluster.staging import Carrier
from pytest_mpgrade.batch.job import Executor
from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.grade.pytest_run import Options
from pytest_mpgrade.records import Assignment


def _nothing() -> Iterator[str]:
    return iter(())


@dataclass(frozen=True, kw_only=True)
class Choice:
    """An executor, whether it resumes an earlier batch, and its notes for the user."""

    execute: Executor
    resume: bool = True  # on other machines, a batch always resumes an earlier one
    notes: Callable[[], Iterator[str]] = _nothing  # what the user has to do after the batch


def choice(arguments: argparse.Namespace, assignment: Assignment, options: Options) -> Choice:
    """Return the executor that the options ask for. Raises UsageError where they contradict."""
    asked = [name for name in ("scheduler", "cluster", "slurm_array") if getattr(arguments, name)]
    words = ["--" + name.replace("_", "-") for name in asked]
    if len(asked) > 1:
        raise UsageError(f"{' and '.join(words)} are two ways to grade elsewhere; choose one")
    if arguments.executor == "dask" and asked not in (["scheduler"], ["cluster"]):
        raise UsageError(
            "--executor dask needs a --scheduler ADDRESS to ask, or a --cluster KIND to start"
            " one on"
        )
    if arguments.executor == "local" and asked:
        raise UsageError(f"--executor local grades here, and {words[0]} elsewhere; choose one")
    if asked and (arguments.only or arguments.only_cause):
        raise UsageError(
            f"{words[0]} takes what was graded elsewhere for final, and --only grades it again"
            " here; choose one"
        )
    if not asked:
        local = local_pool.SideBySide(arguments.jobs or local_pool.slots(), options.stop)
        return Choice(execute=local, resume=arguments.resume)
    carrier = Carrier(
        assignment=assignment, out=arguments.out, options=options, cores=arguments.cores
    )
    if arguments.slurm_array:
        array = Array(carrier=carrier, at_a_time=arguments.jobs)
        return Choice(execute=array, notes=array.notes)
    from pytest_mpgrade.batch.cluster import dask

    return Choice(
        execute=dask.executor(carrier, arguments.scheduler, arguments.cluster, arguments.jobs)
    )
