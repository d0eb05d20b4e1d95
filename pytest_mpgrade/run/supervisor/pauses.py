"""Pauses between two calls of a play: until tasks stand at their gates, or while some go on."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_mpgrade.records import GateReport
from pytest_mpgrade.run.observe.watch import Watch

SETTLE_SECONDS = 5.0
"""Seconds for the tree to fall asleep after gates were opened, at most."""


def meet(watch: Watch, n: int) -> GateReport:
    """Wait, between two calls, until *n* processes stand at gates or the tree is quiescent."""
    watch.gates.keep_shut = lambda _: True
    with watch.unanswered():
        how = watch.until(lambda: len(watch.gates.insiders()) >= n)
    crew = tuple(sorted(watch.gates.insiders()))
    return GateReport(
        script="meet",
        wanted=n,
        met=how == "yes",
        most_inside=len(crew),
        crew=crew,
        alive_then=len(watch.workers_alive()),
        quiet=watch.rule if how == "quiet" else "",
    )


def let(watch: Watch, keys: Sequence[str]) -> GateReport:
    """Open the gates of these tasks between two calls, and wait until the tree has settled."""
    inside = [key for key in keys if key in watch.gates.inside]
    with watch.unanswered():
        for key in inside:
            watch.gates.open(key)
        if inside:
            watch.settle(SETTLE_SECONDS)
    return GateReport(
        script="let", wanted=len(keys), met=len(inside) == len(keys), first=tuple(inside)
    )
