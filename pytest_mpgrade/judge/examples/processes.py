"""Examples for the checks of `run_all`, and of a module that is run as a script. Pure."""

from __future__ import annotations

from pytest_mpgrade import tasks
from pytest_mpgrade.judge import checks
from pytest_mpgrade.judge.check import Check
from pytest_mpgrade.judge.examples.runs import CALLER, CREW, changed, child, made, raising
from pytest_mpgrade.records import GateEvent, GateReport, Leftover, Run

_CODES = (3, -9, 0)
"""Exit codes: of sys.exit(3), of SIGKILL, of a function that returned."""
_HELD = tasks.held(3)
_SQUARES = tasks.square([12, -5, 7])
_RAN = made(
    "run_all(square, 3 tasks)",
    encoded=["list", [["int", "0"]] * 3],
    events=tuple(
        GateEvent(kind="note", key=key, pid=pid, at=0.0091)
        for key, pid in zip(_SQUARES.keys, CREW, strict=True)
    ),
    processes=tuple(map(child, CREW)),
)
_ENDED = made(
    "run_all(end, 3 tasks)",
    encoded=["list", [["int", str(code)] for code in _CODES]],
    gates=GateReport(script="line", wanted=3, met=True, most_inside=3, alive_then=3, crew=CREW),
    events=tuple(
        GateEvent(kind="gate", key=key, pid=pid, at=0.0123)
        for key, pid in zip(_HELD.keys, CREW, strict=True)
    ),
    processes=tuple(child(pid, exitcode=code) for pid, code in zip(CREW, _CODES, strict=True)),
)
_SCRIPT = made(
    "the module run as a script",
    function="the script",
    start_method="spawn",
    tasked=False,
    encoded=["none"],
    processes=(child(born="spawn"),),
)

PROCESSES: tuple[tuple[Check, Run, Run], ...] = (
    (
        checks.one_process_each(_SQUARES),
        _RAN,
        changed(
            _RAN,
            events=tuple(
                GateEvent(kind="note", key=key, pid=CREW[0], at=0.0091) for key in _SQUARES.keys
            ),
        ),
    ),
    (
        checks.all_started_first(),
        _ENDED,
        changed(
            _ENDED,
            control=True,
            gates=GateReport(
                script="line", wanted=3, most_inside=1, alive_then=1, crew=CREW[:1], quiet="proof"
            ),
        ),
    ),
    (
        checks.exit_codes(_CODES, failing=True),
        _ENDED,
        changed(_ENDED, encoded=["list", [["int", "3"], ["int", "9"], ["int", "0"]]]),
    ),
    (
        checks.exit_codes_in_order(_CODES),
        _ENDED,
        changed(_ENDED, encoded=["list", [["int", "-9"], ["int", "0"], ["int", "3"]]]),
    ),
    (
        checks.outlives_failures(),
        _ENDED,
        raising(_ENDED, "RuntimeError", "some processes failed: [3, -9, 0]"),
    ),
    (
        checks.closes_processes(_RAN),
        _ENDED,
        changed(
            _ENDED,
            leftovers=tuple(Leftover(kind="pipe", name=f"pipe:[{811760 + i}]") for i in range(6)),
        ),
    ),
    (checks.starts_child_as_script(), _SCRIPT, changed(_SCRIPT, processes=())),
    (
        checks.starts_child_as_script(),
        _SCRIPT,
        changed(
            _SCRIPT,
            processes=(child(born="spawn", parent=CALLER, exitcode=1),),
            stderr="RuntimeError: \n        An attempt has been made to start a new process before"
            " the\n        current process has finished its bootstrapping phase.\n",
        ),
    ),
)
"""For each check a run that passes it, and one that fails it."""
