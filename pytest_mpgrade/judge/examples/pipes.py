"""Examples for the checks of pipes, and of a bounded queue. Pure."""

from __future__ import annotations

from dataclasses import replace

from pytest_mpgrade import tasks
from pytest_mpgrade.inside import plain_data
from pytest_mpgrade.judge import checks
from pytest_mpgrade.judge.check import Check
from pytest_mpgrade.judge.examples.runs import CALLER, CREW, FACTS, changed, child, made, raising
from pytest_mpgrade.records import GateEvent, GateReport, Run

_WAITING = tasks.held(14)


def _served(answers: list[object], *, closed: bool = True) -> Run:
    """Return a run of square_server that has given these answers."""
    heard = plain_data.encode([answers, closed])
    return made(
        "square_server(a connection)",
        tasked=False,
        encoded=["none"],
        facts=replace(FACTS, queues=(heard,)),
    )


def _counted(drained: int) -> Run:
    """Return a run of produce_consume in which so many items were waiting."""
    gates = GateReport(
        script="drain",
        wanted=3,
        met=True,
        most_inside=3,
        crew=CREW,
        alive_then=3,
        quiet="proof",
        drained=drained,
    )
    return made(
        "produce_consume(run_task, 14 held tasks, n_consumers=3, maxsize=2)",
        encoded=["list", list(_WAITING.expected)],
        gates=gates,
        events=tuple(
            GateEvent(kind="gate", key=key, pid=CREW[place % 3], at=0.0131)
            for place, key in enumerate(_WAITING.keys)
        ),
        processes=tuple(map(child, CREW)),
    )


_SQUARED = made(
    "pipe_squares([11, 12, 13])",
    encoded=plain_data.encode([121, 144, 169]),
    events=tuple(GateEvent(kind="note", key=key, pid=CREW[0], at=0.01) for key in ("11", "12")),
    processes=(child(),),
)

PIPES: tuple[tuple[Check, Run, Run], ...] = (
    (checks.answers_each([9, 16, 0]), _served([9, 16, 0]), _served([9, 16])),
    (
        checks.obeys_none(3),
        _served([9, 16, 0]),
        raising(
            _served([9, 16, 0]),
            "TypeError",
            "unsupported operand type(s) for *: 'NoneType' and 'NoneType'",
            line="conn.send(x * x)",
        ),
    ),
    (checks.obeys_none(3), _served([9, 16, 0]), _served([9, 16, 0, 25])),
    (checks.closes_connection(), _served([9, 16, 0]), _served([9, 16, 0], closed=False)),
    (checks.bounded(2), _counted(2), _counted(11)),
    (
        checks.none_in_caller(),
        _SQUARED,
        changed(
            _SQUARED,
            events=(GateEvent(kind="note", key="11", pid=CALLER, at=0.01),),
        ),
    ),
)
"""For each check a run that passes it, and one that fails it."""
