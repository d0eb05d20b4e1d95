"""The timeline of a schedule that breaks a call: its turns, one after the other. Pure."""

from __future__ import annotations

from pytest_mpgrade.judge import turns
from pytest_mpgrade.records import Broken, Ending, Exploration, Lane, LaneSpan, Moment, Timeline

MOST_TURNS = 24
"""Turns that are drawn. What comes later repeats what a caller that polls has done before."""


def turn_timeline(run: Exploration, broken: Broken) -> Timeline:
    """Return who ran, and who was held meanwhile; each turn has the same width."""
    told = turns.told_turns(broken)
    shown = told[:MOST_TURNS]
    names = sorted(dict.fromkeys(turn.who for turn in shown), key=_caller_first)
    return Timeline(
        call=run.call,
        start_method=run.start_method,
        ending=Ending.HUNG if broken.stuck else Ending.RETURNED,
        end=float(len(shown)),
        unit="turn",
        moments=(Moment(kind="called", at=0.0, text="the first delay"),),
        lanes=tuple(_lane(name, number, shown) for number, name in enumerate(names, 1)),
        sentences=(turns.sentence(run, broken), *(each.sentence for each in broken.stuck)),
        more_events=len(told) - len(shown),
    )


def _caller_first(name: str) -> tuple[bool, bool]:
    """Put the caller before its other threads, and these before the workers."""
    return name != turns.THE_CALLER, "caller" not in name


def _lane(name: str, number: int, shown: list[turns.Turn]) -> Lane:
    """Return the lane of a thread. Its number stands for a pid: each replay has other processes."""
    spans: list[LaneSpan] = []
    held = -1
    for place, turn in enumerate(shown):
        if turn.who != name:
            continue
        if held >= 0:
            spans.append(LaneSpan(kind="gate", start=held, end=place))
            held = -1
        spans.append(LaneSpan(kind="own", start=place, end=place + 1.0, text=turns.ran_words(turn)))
        if turn.note == turns.HELD:
            held = place + 1
    if held >= 0:
        spans.append(LaneSpan(kind="gate", start=held, end=len(shown)))
    return Lane(pid=number, name=name, spans=tuple(spans))
