"""A schedule told as turns: who ran which of the submission's lines, while whom was held."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_mpgrade.records import CALLER, WORKER, Broken, Exploration, Point, Visit

_MOST = 7
"""Turns that are told; the first ones say most."""
_WORKER = re.compile(r"worker(\d+)")
_ROLES = {CALLER: "the caller", WORKER: "a worker"}
_INSIDE = {
    "process starts": "before its first line",
    "process exits": "before it exits",
    "feeder writes": "before it writes an item",
    "long message, after its header": "between the header and the rest of a long message",
    "woken, before its lock": "when it was woken, before it had the lock again",
}
"""Points inside of multiprocessing, as they follow "was held"."""


@dataclass(kw_only=True)
class _Turn:
    """A thread runs until another does."""

    who: str
    lines: list[int]
    note: str = ""


def sentence(run: Exploration, broken: Broken) -> str:
    """Return who was held, and where: "worker 2 was held before line 23, `task = q.get()`"."""
    parts = [
        f"{who(point)} was held {where(run, hold)}"
        for point, hold in zip(_held(broken), broken.schedule.holds, strict=True)
    ]
    return ", and ".join(parts)


def _held(broken: Broken) -> list[Point]:
    """Return for each hold the point of who was held; a process may have been killed there."""
    went_on = [visit.point for visit in broken.visits if visit.goes_on]
    came = [*went_on, *(visit.point for visit in broken.visits)]
    return [
        next((point for point in came if point.meets(hold)), hold) for hold in broken.schedule.holds
    ]


def who(point: Point) -> str:
    """Return a thread in words: "worker 2", "the queue's feeder thread of the caller"."""
    found = _WORKER.fullmatch(point.role)
    process = f"worker {found[1]}" if found else _ROLES.get(point.role, point.role)
    if point.thread == "feeder":
        return f"the queue's feeder thread of {process}"
    return f"thread {point.thread} of {process}" if point.thread else process


def where(run: Exploration, point: Point) -> str:
    """Return a place in words, with its line of code."""
    if not point.line:
        words = _INSIDE.get(point.place, f"at: {point.place}")
        return words if point.visit == 1 else f"{words}, the {_ordinal(point.visit)} time"
    code = run.source.get(f"{point.file}:{point.line}", "")
    shown = f", `{code[:60]}`" if code else ""
    again = f" for the {_ordinal(point.visit)} time" if point.visit > 1 else ""
    what = "between reading and storing in" if point.place.endswith("~") else "before"
    return f"{what} line {point.line}{shown}{again}"


def _ordinal(number: int) -> str:
    return {1: "first", 2: "second", 3: "third"}.get(number, f"{number}th")


def lines(broken: Broken) -> list[str]:
    """Return the turns of the last replay from its first hold on, one a line."""
    turns = list(_turns(broken.visits, set(_held(broken))))
    first = next((at for at, turn in enumerate(turns) if turn.note), 0)
    told: list[_Turn] = []
    for turn in turns[first:]:
        if told and told[-1].who == turn.who and not told[-1].note and not turn.note:
            told[-1].lines += turn.lines
        elif turn.lines or turn.note:
            told.append(turn)
    words = [_words(number, turn) for number, turn in enumerate(told[:_MOST], 1)]
    return words + ([f"… and {len(told) - _MOST} more turns"] if len(told) > _MOST else [])


def _turns(visits: Sequence[Visit], holds: set[Point]) -> Iterator[_Turn]:
    turn: _Turn | None = None
    for visit in visits:
        name = who(visit.point)
        if turn is None or turn.who != name or turn.note == "is held here":
            if turn is not None:
                yield turn
            turn = _Turn(who=name, lines=[])
        if visit.goes_on:
            turn.note = "goes on"
        elif visit.point in holds:
            turn.note = "is held here"
        if visit.point.line and not visit.goes_on:
            turn.lines.append(visit.point.line)
    if turn is not None:
        yield turn


def _words(number: int, turn: _Turn) -> str:
    ran = f"line{'s' * (len(set(turn.lines)) > 1)} {_ranges(turn.lines)}" if turn.lines else ""
    parts = [turn.note, ran] if turn.note == "goes on" else [ran, turn.note]
    return f"{number}. {turn.who}: {', '.join(filter(None, parts))}"


def _ranges(numbers: Sequence[int]) -> str:
    """Return lines in the order in which they ran: "12-14, 12"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        elif not runs or number != runs[-1][-1]:
            runs.append([number])
    shown = [f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs]
    return ", ".join(shown[:8]) + (", …" if len(shown) > 8 else "")
