"""Examples for the checks of pools: runs written down by hand, as real ones were. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_mpgrade import tasks
from pytest_mpgrade.judge import checks
from pytest_mpgrade.judge.check import Check
from pytest_mpgrade.judge.examples.background import HANDLES, RUNNING, dropped
from pytest_mpgrade.judge.examples.runs import (
    CREW,
    changed,
    child,
    made,
    raising,
    token_of,
    worker_processes,
)
from pytest_mpgrade.records import GateEvent, GateReport, Leftover, Run

__all__ = ["CHUNKS", "HELD", "POOLS", "dealt", "early", "finished", "pool_begun", "working"]

CHUNKS = tasks.held(7)
HELD = tasks.held(6)


def dealt(*shares: Sequence[int], crew: int = 3) -> Run:
    """Return a call of pool_map with CHUNKS, whose workers got these items each, in this order."""
    turns = sorted(
        (turn, worker, place)
        for worker, share in enumerate(shares)
        for turn, place in enumerate(share)
    )
    events = tuple(
        GateEvent(kind="gate", key=CHUNKS.keys[place], pid=CREW[worker], at=0.01 + 0.002 * turn)
        for turn, worker, place in turns
    )
    first = tuple(CHUNKS.keys[place] for place in sorted(share[0] for share in shares))
    gates = GateReport(
        script="line",
        wanted=3,
        met=crew >= 3,
        most_inside=crew,
        alive_then=crew,
        crew=CREW[:crew],
        first=first,
        waiting=CHUNKS.keys[1:2],
        quiet="proof",
    )
    return made(
        "pool_map(held, 7 held items, n_processes=3)",
        encoded=["list", list(CHUNKS.expected)],
        gates=gates,
        events=events,
        processes=worker_processes(crew),
        tasks=len(CHUNKS.keys),
        control=True,
    )


def pool_begun(**seen: object) -> Run:
    """Return a call of pool_start that came back while its items were held."""
    run = made(
        "pool_start(held, 6 held items, n_processes=3)",
        encoded=["tuple", HANDLES[1:]],
        processes=worker_processes(exitcode=None, at_return="alive", later="alive"),
        gates=GateReport(script="shut", early=True),
        seconds=0.0211,
    )
    return changed(run, **seen)


def working(inside: int) -> Run:
    """Return the pause in which *inside* processes stood at the gates of items."""
    gates = GateReport(
        script="meet", wanted=4, most_inside=inside, alive_then=3, crew=CREW[:inside], quiet="proof"
    )
    processes = worker_processes(exitcode=None, at_return="alive", later="alive")
    return made("4 tasks at a time", function="", gates=gates, processes=processes)


def early(**seen: object) -> Run:
    """Return a call of pool_finish that gave up while items were held."""
    run = raising(
        made(
            "pool_finish(timeout=0.3)",
            processes=(RUNNING,),
            gates=GateReport(script="keep"),
            seconds=0.3004,
            blocked=0.3001,
        ),
        "TimeoutError",
        "",
        line="return future.get(timeout)",
    )
    return changed(run, **seen)


def finished(**seen: object) -> Run:
    """Return a call of pool_finish that waited for the items and shut the pool down."""
    run = made(
        "pool_finish(…)",
        encoded=["list", list(HELD.expected)],
        events=tuple(
            GateEvent(kind="gate", key=key, pid=CREW[place % 3], at=0.4, token=token_of(key))
            for place, key in enumerate(HELD.keys)
        ),
        processes=worker_processes(),
        gates=GateReport(script="shut", blocked=True, quiet="proof"),
        seconds=0.4101,
    )
    return changed(run, **seen)


POOLS: tuple[tuple[Check, Run, Run], ...] = (
    (
        checks.chunked(CHUNKS, [3]),
        dealt((0, 1, 2), (3, 4, 5), (6,)),
        dealt((0, 3, 6), (1, 4), (2, 5)),
    ),
    (checks.works_in_background(3, pool_begun()), working(3), working(2)),
    (
        checks.times_out(pool_begun()),
        early(),
        finished(call="pool_finish(timeout=0.3)", gates=GateReport(script="keep", blocked=True)),
    ),
    (
        checks.keeps_the_work(HELD, early()),
        finished(),
        raising(finished(), "ValueError", "Pool not running", line="pool.map(func, items)"),
    ),
    (
        checks.nothing_left_of_handle(finished()),
        dropped(processes=(child(),)),
        dropped(leftovers=(Leftover(kind="thread", name="thread 4107"),)),
    ),
)
"""For each check a run that passes it, and one that fails it."""
