"""Workloads as a function and the items that it is applied to, as `map` takes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from pytest_mpgrade.inside import workloads
from pytest_mpgrade.inside.placeholders import Own
from pytest_mpgrade.tasks import Workload

Applied = Callable[..., object] | Own
"""A function that a call applies to each of its items: one of ours, or one of the submission's."""


def items(workload: Workload) -> tuple[Applied, Workload]:
    """Return a function of one argument, and the workload as the items that it is applied to."""
    return _applied(
        workload, workloads.run_task, [args[0] for _, args in workload.tasks if len(args) == 1]
    )


def arg_tuples(workload: Workload) -> tuple[Applied, Workload]:
    """Return a function, and the workload as the tuples of arguments that it is applied to."""
    return _applied(workload, workloads.apply, [args for _, args in workload.tasks])


def _applied(
    workload: Workload, otherwise: Callable[..., object], given: Sequence[object]
) -> tuple[Applied, Workload]:
    """Return the function that all tasks have in common, or one that is given whole tasks."""
    functions = {func for func, _ in workload.tasks}
    alike = len(functions) == 1 and len(given) == len(workload.tasks)
    words = workload.words.replace("tasks", "items")
    changed = replace(workload, given=tuple(given) if alike else workload.tasks, words=words)
    return (functions.pop() if alike else otherwise), changed
