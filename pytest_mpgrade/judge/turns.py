"""A schedule told as turns: who ran which of the submission's lines, while whom was held."""

from __future__ import annotations

import itertools
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_mpgrade.records import CALLER, WORKER, Broken, Exploration, Point, Visit

_MOST = 6
"""Turns that are told; the first ones say most."""
HELD, GOES_ON = "held", "goes on"
"""What a turn may end with, and begin with."""
_COLUMNS, _WIDTH = 3, 68
"""The most threads that have a column each, and the characters of a line of such columns."""
_WORKER = re.compile(r"worker(\d+)")
THE_CALLER = "the caller"
"""The calling thread, in words."""
_ROLES = {CALLER: THE_CALLER, WORKER: "a worker"}
_INSIDE = {
    "process starts": "before its first line",
    "process exits": "before it exits",
    "feeder writes": "before it writes an item",
    "long message, after its header": "between the header and the rest of a long message",
    "woken, before its lock": "when it was woken, before it had the lock again",
}
"""Points inside of multiprocessing, as they follow "was held"."""


@dataclass(kw_only=True)
class Turn:
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
    """Return the turns of the last replay from its first hold on, one a line.

    Each thread has a column, with the submission's lines that it ran; of many threads, all stand
    in one.
    """
    told = told_turns(broken)
    names = list(dict.fromkeys(turn.who for turn in told))
    rows = [(number, turn.who, ran_words(turn)) for number, turn in enumerate(told[:_MOST], 1)]
    if 1 < len(names) <= _COLUMNS:
        shown = _table(names, rows)
    else:
        shown = [f"{number}. {name}: {ran}" for number, name, ran in rows]
    return shown + ([f"… and {len(told) - _MOST} more turns"] if len(told) > _MOST else [])


def _table(names: Sequence[str], rows: Sequence[tuple[int, str, str]]) -> list[str]:
    width = (_WIDTH - 3) // len(names)
    shown = [("   " + "".join(f"{_short(name):{width}}" for name in names)).rstrip()]
    for number, name, ran in rows:
        indent = " " * (3 + names.index(name) * width)
        pieces = textwrap.wrap(ran, width - 2) or [""]
        shown.append(f"{number}. ".ljust(3) + indent[3:] + pieces[0])
        shown += [indent + piece for piece in pieces[1:]]
    return shown


def _short(name: str) -> str:
    """Return a thread's name as it heads a column."""
    return name.removeprefix("the ").replace("queue's feeder thread", "feeder")


def told_turns(broken: Broken) -> list[Turn]:
    """Return the turns of the last replay from its first hold on."""
    turns = list(_turns(broken.visits, set(_held(broken))))
    first = next((at for at, turn in enumerate(turns) if turn.note), 0)
    told: list[Turn] = []
    for turn in turns[first:]:
        if told and told[-1].who == turn.who and not told[-1].note and not turn.note:
            told[-1].lines += turn.lines
        elif turn.lines or turn.note:
            told.append(turn)
    return told


def _turns(visits: Sequence[Visit], holds: set[Point]) -> Iterator[Turn]:
    turn: Turn | None = None
    for visit in visits:
        name = who(visit.point)
        if turn is None or turn.who != name or turn.note == HELD:
            if turn is not None:
                yield turn
            turn = Turn(who=name, lines=[])
        if visit.goes_on:
            turn.note = GOES_ON
        elif visit.point in holds:
            turn.note = HELD
        if visit.point.line and not visit.goes_on:
            turn.lines.append(visit.point.line)
    if turn is not None:
        yield turn


def ran_words(turn: Turn) -> str:
    """Return the lines of a turn in words: "lines 12-13, held"."""
    ran = f"line{'s' * (len(set(turn.lines)) > 1)} {_ranges(turn.lines)}" if turn.lines else ""
    parts = [turn.note, ran] if turn.note == GOES_ON else [ran, turn.note]
    return ", ".join(filter(None, parts))


def _ranges(numbers: Sequence[int]) -> str:
    """Return lines in the order in which they ran: "12-14, 12 (3 times)"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        elif not runs or number != runs[-1][-1]:
            runs.append([number])
    words = [f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs]
    counted = [(word, len(list(same))) for word, same in itertools.groupby(words)]
    shown = [word if count == 1 else f"{word} ({count} times)" for word, count in counted]
    return ", ".join(shown[:8]) + (", …" if len(shown) > 8 else "")
