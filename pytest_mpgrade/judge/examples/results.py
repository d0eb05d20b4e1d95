"""Examples for the checks of what came back, and of who computed it. Pure."""

from __future__ import annotations

from pytest_mpgrade import tasks
from pytest_mpgrade.judge import checks
from pytest_mpgrade.judge.check import Check
from pytest_mpgrade.judge.examples.hangs import hung, stuck
from pytest_mpgrade.judge.examples.runs import MIXED, by_caller, changed, made, raising, worked
from pytest_mpgrade.records import Awaited, GateReport, Run

_LARGE = tasks.big(6, 3_000_000)
_LATE = tasks.held_last(5)
_PLAIN = worked(MIXED)

VALUES: tuple[tuple[Check, Run, Run], ...] = (
    (
        checks.values_in_any_order(MIXED),
        changed(_PLAIN, encoded=["list", list(reversed(MIXED.expected))]),
        changed(_PLAIN, encoded=["list", list(MIXED.expected[:-1])]),
    ),
    (
        checks.gives_results(MIXED),
        changed(_PLAIN, encoded=["list", list(MIXED.expected[1:])]),
        changed(_PLAIN, encoded=["none"]),
    ),
    (
        checks.values_in_order(MIXED),
        _PLAIN,
        changed(_PLAIN, encoded=["list", list(reversed(MIXED.expected))]),
    ),
    (
        checks.returns_value(81),
        made("calculate(power, (3, 4))", encoded=["int", "81"]),
        made("calculate(power, (3, 4))", encoded=["str", "81"]),
    ),
    (
        checks.lets_through("kaputt 4713"),
        raising(made("calculate(fail, ('direct', 'kaputt 4713'))"), "ValueError", "kaputt 4713"),
        raising(made("calculate(fail, ('direct', 'kaputt 4713'))"), "RuntimeError", "task failed"),
    ),
    (checks.in_children(MIXED, 2), _PLAIN, by_caller(_PLAIN)),
    (
        checks.comes_back(),
        _PLAIN,
        hung(_PLAIN, stuck("join"), stuck("write", 1), stuck("get", 2)),
    ),
    (
        checks.comes_back(),
        _PLAIN,
        hung(_PLAIN, stuck("wait", 0, Awaited.EXIT, Awaited.MESSAGE), stuck("lock", 1)),
    ),
    (
        checks.values_in_any_order(MIXED),
        _PLAIN,
        hung(_PLAIN, stuck("wait", 0, Awaited.EXIT, Awaited.MESSAGE), stuck("get", 1)),
    ),
    (
        checks.workers_are_told_to_stop(),
        _PLAIN,
        hung(_PLAIN, stuck("join"), stuck("get", 1), stuck("get", 2)),
    ),
    (
        checks.drains(_LARGE, 2),
        worked(_LARGE, seconds=0.14),
        hung(worked(_LARGE), stuck("join"), stuck("write", 1), stuck("write", 2)),
    ),
    (
        checks.late_result_arrives(_LATE),
        worked(_LATE, kind="gate", gates=GateReport(script="hold", met=True), seconds=3.02),
        worked(
            _LATE,
            kind="gate",
            gates=GateReport(script="hold", early=True, met=True),
            encoded=["list", list(_LATE.expected[1:])],
            seconds=1.04,
        ),
    ),
)
