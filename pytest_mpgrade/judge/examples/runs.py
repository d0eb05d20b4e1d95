"""Runs written down by hand as real ones were, for the examples of the checks. Pure.

The numbers come from runs of the reference solutions and of wrong ones. Process ids are small, and
the same in all runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, replace
from typing import Any

from pytest_mpgrade import tasks
from pytest_mpgrade.records import (
    ChildFacts,
    Ending,
    EventKind,
    Frame,
    GateEvent,
    GateReport,
    GateStep,
    ProcessSeen,
    RaisedError,
    Run,
    Trace,
)

CALLER, CREW = 4100, (4101, 4102, 4103)
"""Ids of processes, as Linux might give them."""
LINE = tasks.rendezvous(3)
MIXED = tasks.mixed()
RAISES = tasks.raises(message="kaputt 4711", followed_by=48)
DIES = tasks.dies(followed_by=4)
FACTS = ChildFacts(start_method_now="fork")

_OF_TRACE = frozenset(field.name for field in fields(Trace))


def made(call: str, **seen: Any) -> Run:
    """Return a run of *call* under fork that came back.

    *seen* has other fields of Run or of its Trace.
    """
    function = call.partition("(")[0].partition(" ")[0]
    base = Run(
        key=f"example/{function}",
        call=call,
        function=function,
        start_method="fork",
        ending=Ending.RETURNED,
        seconds=0.0129,
        blocked=0.0051,
        facts=FACTS,
        trace=Trace(caller=CALLER, observer="ptrace", gates=GateReport(script="open")),
    )
    return changed(base, **seen)


def changed(run: Run, **seen: Any) -> Run:
    """Return *run* with other fields, of itself or else of its Trace."""
    own = {field.name for field in fields(run)}
    of_trace = {name: seen.pop(name) for name in (_OF_TRACE - own) & seen.keys()}
    return replace(run, trace=replace(run.trace, **of_trace), **seen)


def child(pid: int = CREW[0], **seen: Any) -> ProcessSeen:
    """Return a process that was started by fork, ended by itself, and was joined."""
    return replace(
        ProcessSeen(pid=pid, parent=CALLER, born="fork", exitcode=0, first=0.0025, cpu=0.0029),
        **seen,
    )


def worker_processes(n: int = 3, **seen: object) -> tuple[ProcessSeen, ...]:
    """Return the processes of the first *n* workers."""
    return tuple(child(pid, **seen) for pid in CREW[:n])


# --- mp_apply without gates


def worked(
    workload: tasks.Workload, n: int = 2, *, kind: EventKind = "note", **seen: object
) -> Run:
    """Return a call of mp_apply whose *n* workers took the tasks in turn."""
    events = tuple(
        GateEvent(kind=kind, key=key, pid=CREW[place % n], at=round(0.0072 + 0.0004 * place, 4))
        for place, key in enumerate(workload.keys)
    )
    run = made(
        f"mp_apply({workload.label}, n_processes={n})", events=events, processes=worker_processes(n)
    )
    run = changed(run, tasks=len({*workload.keys}))
    return changed(run, **{"encoded": ["list", list(workload.expected)], **seen})


def by_caller(run: Run, **seen: object) -> Run:
    """Return *run* as a serial solution makes it: all tasks ran in the calling process.

    No gate could be held there.
    """
    events = tuple(
        replace(event, pid=CALLER) for event in run.trace.events if event.kind != "leave"
    )
    gates = run.trace.gates
    if gates is not None and gates.script == "line":
        gates = GateReport(script="line", wanted=gates.wanted, early=True)
    return changed(run, events=events, processes=(), gates=gates, **seen)


# --- mp_apply with three workers and twelve tasks at their gates

Deal = Callable[[int, Sequence[int]], "int | None"]
"""A function that says which of the waiting tasks a worker takes next.

Workers and tasks are numbered from 0.
"""


def first_in(_worker: int, waiting: Sequence[int]) -> int | None:
    """Deal from one queue, first in, first out."""
    return waiting[0] if waiting else None


def last_in(_worker: int, waiting: Sequence[int]) -> int | None:
    """Deal from the end of one list."""
    return waiting[-1] if waiting else None


def dealt_in_turn(worker: int, waiting: Sequence[int]) -> int | None:
    """Deal from a list for each worker, filled in turn beforehand (round robin)."""
    return next((place for place in waiting if place % 3 == worker), None)


def token_of(key: str) -> str:
    """Return the token that the grader gives the process at the gate of this task."""
    return f"{int(key):016x}"


VOUCHED: list[object] = [["tuple", [["int", key], ["str", token_of(key)]]] for key in LINE.keys]
"""The results of LINE, each with the token that its process was given."""


def lined_up(deal: Deal = first_in, **seen: object) -> Run:
    """Return the call with LINE in which workers take tasks as *deal* says, and all come back."""
    played = _Line(deal)
    run = made(
        f"mp_apply({LINE.label}, n_processes=3)",
        encoded=["list", VOUCHED],
        gates=played.report,
        events=tuple(played.events),
        processes=worker_processes(),
        seconds=0.1056,
        blocked=0.0946,
    )
    return changed(run, **seen)


class _Line:
    """The gate script `line`.

    Three workers are inside tasks first. Then one gate is opened after the other, always that of
    the last task held.
    """

    def __init__(self, deal: Deal) -> None:
        self._deal = deal
        self._waiting = list(range(len(LINE.keys)))
        self._inside: dict[int, int] = {}
        self.events: list[GateEvent] = []
        for worker in range(3):
            self._take(worker)
        first = tuple(LINE.keys[place] for place in sorted(self._inside))
        steps = tuple(self._steps())
        waiting = tuple(LINE.keys[place] for place in self._waiting)
        self.report = GateReport(
            script="line",
            wanted=3,
            met=True,
            most_inside=3,
            alive_then=3,
            crew=CREW,
            first=first,
            steps=steps,
            waiting=waiting,
            quiet="proof" if waiting else "",
        )
        while any(self._take(worker) is not None for worker in range(3)):
            continue
        self.events += [GateEvent(kind="leave", key="", pid=pid, at=0.0805) for pid in CREW]

    def _take(self, worker: int) -> int | None:
        place = self._deal(worker, tuple(self._waiting))
        if place is not None:
            self._waiting.remove(place)
            self._inside[place] = worker
            at = round(0.0131 + 0.0009 * len(self.events), 4)
            key = LINE.keys[place]
            self.events.append(
                GateEvent(kind="gate", key=key, pid=CREW[worker], at=at, token=token_of(key))
            )
        return place

    def _steps(self) -> Iterator[GateStep]:
        while self._waiting:
            expected, opened = self._waiting[0], max(self._inside)
            if opened == 0:  # the first gate stays shut
                return
            worker = self._inside.pop(opened)
            came = self._take(worker)
            yield GateStep(
                opened=LINE.keys[opened],
                opened_pid=CREW[worker],
                expected=LINE.keys[expected],
                arrived=None if came is None else LINE.keys[came],
                arrived_pid=None if came is None else CREW[worker],
            )
            if came is None:
                return


def unmet(inside: int, alive: int = 3, **seen: object) -> Run:
    """Return the call with LINE in which only *inside* of 3 workers were at gates.

    *alive* workers existed.
    """
    crew = CREW[:inside]
    gates = GateReport(
        script="line",
        wanted=3,
        most_inside=inside,
        alive_then=alive,
        crew=crew,
        first=LINE.keys[:inside],
        quiet="proof",
    )
    run = lined_up(gates=gates, processes=worker_processes(alive), control=True)
    events = tuple(replace(event, pid=CREW[event.pid % alive]) for event in run.trace.events)
    return changed(run, events=events, **seen)


# --- calls that raise


def raising(
    run: Run,
    type: str,
    message: str,
    *,
    chain: tuple[str, ...] = (),
    line: str = "",
    **seen: object,
) -> Run:
    """Return *run* as it is when it ends with an exception, at a line of the submission."""
    frames = (
        (Frame(file="submissions/ada/cv_funcs.py", line=29, function=run.function, own=True),)
        if line
        else ()
    )
    error = RaisedError(type=type, message=message, chain=chain, frames=frames, line=line)
    return changed(run, ending=Ending.RAISED, encoded=None, error=error, **seen)
