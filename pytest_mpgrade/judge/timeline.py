"""The times at which each worker began tasks, as text. Failures of concurrency show it."""

from __future__ import annotations

from pytest_mpgrade.records import GateEvent, Run

MOST_WORKERS, MOST_TASKS = 8, 10
"""The most workers, and tasks of each, that a timeline lists; it only counts the rest."""
_ENDS = {"leave": "told to end", "lost": "died in its task"}


def timeline_lines(run: Run) -> list[str]:
    """Return a line for each process that reported a task; none where no process did.

    Times are in seconds since the call began.
    """
    by_pid: dict[int, list[GateEvent]] = {}
    for event in run.trace.events:
        by_pid.setdefault(event.pid, []).append(event)
    workers = [pid for pid in by_pid if pid != run.trace.caller]
    names = {pid: f"worker {number}" for number, pid in enumerate(workers, 1)} | {
        run.trace.caller: "the caller"
    }
    lines = [f"{names[pid]}: {_events(events)}" for pid, events in by_pid.items()]
    rest = len(lines) - MOST_WORKERS
    return lines if rest <= 1 else [*lines[:MOST_WORKERS], f"… and {rest} more processes"]


def _events(events: list[GateEvent]) -> str:
    begun = [f"{event.at:.2f}" for event in events if event.kind not in _ENDS]
    rest = len(begun) - MOST_TASKS
    shown = begun if rest <= 1 else [*begun[:MOST_TASKS], f"… and {rest} more"]
    ends = [f"{_ENDS[event.kind]} at {event.at:.2f} s" for event in events if event.kind in _ENDS]
    return "; ".join([*([f"began tasks at {', '.join(shown)} s"] if shown else []), *ends])
