"""Two examples for every check: a run that passes it, and one that fails it. Pure.

tests/judge/test_checks.py judges them all. They also show in one place what each check judges. The
module `runs` makes the runs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pytest_mpgrade import tasks
from pytest_mpgrade.inside import plain_data
from pytest_mpgrade.judge import checks
from pytest_mpgrade.judge.check import Check
from pytest_mpgrade.judge.examples.awaiting import AWAITING
from pytest_mpgrade.judge.examples.background import BACKGROUND
from pytest_mpgrade.judge.examples.fetching import FETCHING
from pytest_mpgrade.judge.examples.hangs import hung, stuck
from pytest_mpgrade.judge.examples.notebooks import NOTEBOOKS
from pytest_mpgrade.judge.examples.numeric import NUMERIC, RANDOM
from pytest_mpgrade.judge.examples.pipes import PIPES
from pytest_mpgrade.judge.examples.pools import POOLS
from pytest_mpgrade.judge.examples.processes import PROCESSES
from pytest_mpgrade.judge.examples.results import VALUES
from pytest_mpgrade.judge.examples.runs import (
    CREW,
    DIES,
    FACTS,
    LINE,
    MIXED,
    RAISES,
    changed,
    child,
    dealt_in_turn,
    last_in,
    lined_up,
    made,
    raising,
    unmet,
    worked,
    worker_processes,
)
from pytest_mpgrade.judge.examples.schedules import SCHEDULES
from pytest_mpgrade.judge.examples.timings import TIMINGS
from pytest_mpgrade.records import Ending, GateEvent, Leftover, Parameter, Run

__all__ = ["EXAMPLES", "Example"]


@dataclass(frozen=True, kw_only=True)
class Example:
    """A check with a run that passes it and one that fails it."""

    check: Check
    passing: Run
    failing: Run


_LARGE = tasks.big(6, 3_000_000)
_LATE = tasks.held_last(5)
_PLAIN = worked(MIXED)
_LINED_UP = lined_up()
_ZOMBIE = child(at_return="zombie", later="zombie")
_DISPATCH = [
    Example(check=checks.workers(3), passing=_LINED_UP, failing=unmet(inside=2, alive=2)),
    Example(check=checks.met(), passing=_LINED_UP, failing=unmet(inside=1)),
    Example(
        check=checks.free_worker_takes_next(),
        passing=_LINED_UP,
        failing=lined_up(dealt_in_turn, control=True),
    ),
    Example(check=checks.first_in_first_out(LINE), passing=_LINED_UP, failing=lined_up(last_in)),
]
_UNTASKED = made("parallel_sum([1, 2, 3], n_processes=2)", tasked=False, encoded=["int", "6"])
_SHUTDOWN = [
    Example(
        check=checks.started(2),
        passing=changed(_UNTASKED, processes=worker_processes(2)),
        failing=_UNTASKED,
    ),
    Example(
        check=checks.ended_by_sentinel(),
        passing=_LINED_UP,
        failing=changed(_LINED_UP, processes=(*worker_processes(2), child(CREW[2], exitcode=-15))),
    ),
    Example(
        check=checks.no_leftovers(),
        passing=_LINED_UP,
        failing=changed(_LINED_UP, processes=worker_processes(at_return="zombie", later="zombie")),
    ),
    Example(
        check=checks.nothing_else_left(),
        passing=_LINED_UP,
        failing=changed(
            _LINED_UP,
            leftovers=(
                Leftover(kind="pipe", name="pipe:[811723]"),
                Leftover(kind="pipe", name="pipe:[811724]"),
                Leftover(kind="semaphore", name="sem.mpg1c7f33a0-0"),
                Leftover(kind="thread", name="thread 4107"),
            ),
        ),
    ),
    Example(
        check=checks.nothing_accumulates(6),
        passing=worked(tasks.square([5, 45])),
        failing=worked(
            tasks.square([5, 45]),
            processes=(
                *worker_processes(2),
                *(replace(_ZOMBIE, pid=4200 + number) for number in range(6)),
            ),
        ),
    ),
]

_KAPUTT = worked(
    RAISES,
    events=tuple(
        GateEvent(kind="note", key=RAISES.keys[i], pid=CREW[i], at=0.0166) for i in (0, 1)
    ),
)
_DOOM = GateEvent(kind="doom", key="dies", pid=CREW[0], at=0.0116)
_DEATH = worked(
    DIES,
    events=(_DOOM, GateEvent(kind="note", key="0", pid=CREW[1], at=0.0139)),
    processes=(child(exitcode=-9), child(CREW[1])),
)
_RAISED = raising(
    _KAPUTT,
    "RuntimeError",
    "a task failed: ValueError('kaputt 4711')",
    line="raise RuntimeError(text)",
)
_FAULTS = [
    Example(
        check=checks.raises_soon("kaputt 4711"),
        passing=_RAISED,
        failing=changed(
            _KAPUTT, encoded=["list", [["object", "builtins.ValueError"], ["int", "0"]]]
        ),
    ),
    Example(
        check=checks.notices_death(),
        passing=raising(_DEATH, "RuntimeError", "a worker died (exit code -9)"),
        failing=hung(_DEATH, stuck("get"), stuck("get", 2)),
    ),
    Example(
        check=checks.waiting_not_started(RAISES),
        passing=_RAISED,
        failing=raising(worked(RAISES), "ValueError", "kaputt 4711"),
    ),
    Example(
        check=checks.all_shut_down(),
        passing=_RAISED,
        failing=changed(
            _RAISED, processes=worker_processes(2, exitcode=None, at_return="alive", later="alive")
        ),
    ),
]

_ASKED = {"calculate": ("func", "args"), "mp_apply": ("tasks", "n_processes=2")}
_FOUND = {
    "calculate": [
        Parameter("func", "POSITIONAL_OR_KEYWORD", has_default=False),
        Parameter("args", "POSITIONAL_OR_KEYWORD", has_default=False),
    ],
    "mp_apply": [
        Parameter("tasks", "POSITIONAL_OR_KEYWORD", has_default=False),
        Parameter("n_processes", "POSITIONAL_OR_KEYWORD", has_default=True),
    ],
}
_IMPORT = made("import cv_funcs", facts=replace(FACTS, functions=_FOUND), gates=None)
_WORKER = made(
    "worker(a queue, a queue)",
    encoded=["none"],
    facts=replace(
        FACTS,
        queues=(plain_data.encode([(tasks.work.square, (5,))]), plain_data.encode([49, 81, 9])),
    ),
)
_INTERFACE = [
    Example(
        check=checks.imports_cleanly(),
        passing=_IMPORT,
        failing=changed(
            raising(_IMPORT, "NameError", "name 'Queu' is not defined"), ending=Ending.NOT_IMPORTED
        ),
    ),
    Example(
        check=checks.has_functions(_ASKED),
        passing=_IMPORT,
        failing=changed(
            _IMPORT, facts=replace(FACTS, functions=_FOUND | {"mp_apply": _FOUND["mp_apply"][:1]})
        ),
    ),
    Example(
        check=checks.works_under_start_method(),
        passing=_PLAIN,
        failing=raising(
            _PLAIN,
            "AttributeError",
            "Can't pickle local object 'mp_apply.<locals>.run'",
            line="p.start()",
            start_method="spawn",
            returned_under="fork",
            events=(),
            processes=(),
        ),
    ),
    Example(
        check=checks.uses_the_default(),
        passing=_LINED_UP,
        failing=changed(
            _LINED_UP, start_method="spawn", facts=replace(FACTS, start_method_now="spawn")
        ),
    ),
    Example(
        check=checks.worker_output([49, 81, 9]),
        passing=_WORKER,
        failing=changed(
            _WORKER,
            facts=replace(
                FACTS, queues=(["list", []], plain_data.encode([(7, 49), (9, 81), (3, 9)]))
            ),
        ),
    ),
    Example(
        check=checks.worker_obeys_sentinel(),
        passing=_WORKER,
        failing=changed(
            _WORKER, facts=replace(FACTS, queues=(["list", []], plain_data.encode([49, 81, 9])))
        ),
    ),
]


_MORE = [
    Example(check=check, passing=right, failing=wrong)
    for check, right, wrong in (
        *(
            *BACKGROUND,
            *VALUES,
            *TIMINGS,
            *SCHEDULES,
            *PROCESSES,
        ),
        *(
            *PIPES,
            *POOLS,
            *AWAITING,
            *RANDOM,
            *NUMERIC,
        ),
        *(
            *FETCHING,
            *NOTEBOOKS,
        ),
    )
]

EXAMPLES: tuple[Example, ...] = (
    *_DISPATCH,
    *_SHUTDOWN,
    *_FAULTS,
    *_INTERFACE,
    *_MORE,
)
