"""The child processes of a background task, and whether one of them ran it."""

from __future__ import annotations

from pytest_mpgrade.records import ProcessSeen, Run


def children(run: Run) -> list[ProcessSeen]:
    """Return the child processes that were observed in this run, without helpers."""
    return [process for process in run.trace.processes if not process.helper]


def doers(run: Run) -> list[ProcessSeen]:
    """Return the child processes that ran a task, in this call or before.

    Where no process reported a task, these are all of `children`.
    """
    return [child for child in children(run) if child.ran_task] or children(run)


def ran_in_caller(run: Run) -> bool:
    """Tell whether a task ran in the calling process, in this call or before it."""
    return run.in_caller or any(event.pid == run.trace.caller for event in run.trace.events)
