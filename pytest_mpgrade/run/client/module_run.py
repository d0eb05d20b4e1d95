"""Scenario -> Runs, as pytest sees it: ask a supervisor, and put what it reports and the child tells into records."""

from __future__ import annotations

import os
import pickle
from dataclasses import asdict, dataclass, replace
from typing import Any

from pytest_mpgrade.isolation.confine import RunFolder
from pytest_mpgrade.records import Ending, Plain, Run, Scenario
from pytest_mpgrade.run.client import request
from pytest_mpgrade.run.client.answers import UNREADABLE, Answer, StepReport, SupervisorReport, answer
from pytest_mpgrade.run.client.request import Setting, workspace
from pytest_mpgrade.run.observe import deadline

_MOST_KEYS = 20_000
_SUPERVISED = (
    "do",
    "gates",
    "again",
    "same_holdings",
    "n",
    "seconds",
    "patience",
    "save",
    "drop",
    "last",
    "look",
    "let",
)


@dataclass(frozen=True, kw_only=True)
class _CallsReport(SupervisorReport):
    imported: StepReport
    calls: tuple[StepReport, ...]


def run_module(scenario: Scenario, setting: Setting) -> tuple[Run, ...]:
    """Run a scenario against the submission; one Run for each step that was reached, the import's first.

    Raises SupervisorError when the supervisor broke: the grader or the machine is at fault.
    """
    with workspace() as (folder, prefix):
        report = request.ask_supervisor(
            _request(scenario, setting, folder, prefix), _seconds(scenario, setting), _CallsReport
        )
        return tuple(_runs(report, scenario, folder, setting))


def _request(scenario: Scenario, setting: Setting, folder: RunFolder, prefix: str) -> dict[str, Any]:
    child_request = os.path.join(folder.box, "request")
    with open(child_request, "wb") as file:
        pickle.dump(_child_request(scenario, setting, folder, prefix), file, protocol=4)
    return request.request(setting, folder, prefix, setting.submission.folder) | {
        "child_request": child_request,
        "keys": _keys(scenario),
        "steps": [{name: getattr(step, name) for name in _SUPERVISED} for step in scenario.steps],
    }


def _keys(scenario: Scenario) -> list[str] | None:
    """Return the keys of all tasks that are handed out; None where some of them are not known."""
    known = [step.keys for step in scenario.steps if step.do == "call"]
    found = [key for keys in known for key in keys or ()]
    return None if any(keys is None for keys in known) or len(found) > _MOST_KEYS else found


def _child_request(scenario: Scenario, setting: Setting, folder: RunFolder, prefix: str) -> dict[str, Any]:
    return {
        "folder": setting.submission.folder,
        "module": setting.submission.module.removesuffix(".py"),
        "packages": [name for name in setting.submission.imports if name == "multiprocess"],
        "start_method": scenario.start_method,
        "functions": list(setting.assignment.functions),
        "prefix": prefix,
        "answers": folder.box,
        "most_processes": request.most_processes(setting),
        "steps": [
            {name: getattr(step, name) for name in ("do", "function", "args", "kwargs", "save", "opaque", "drop")}
            for step in scenario.steps
        ],
    }


def _seconds(scenario: Scenario, setting: Setting) -> float:
    """Return the sum of the supervisor's own limits, each put off as far as it may be."""
    limits = setting.assignment.limits
    seconds = 2 * limits.import_seconds
    for step in scenario.steps:
        seconds += (step.seconds or limits.seconds) + 15 + (step.again or {}).get("seconds", 0)
    return (1 + deadline.MOST) * seconds


def _runs(report: _CallsReport, scenario: Scenario, folder: RunFolder, setting: Setting) -> list[Run]:
    base = Run(
        key=f"{scenario.key}/import",
        call=f"import {setting.submission.module.removesuffix('.py')}",
        function="import",
        start_method=scenario.start_method,
        ending=Ending.BROKEN,
        stderr=report.stderr,
        code=setting.submission.code,
    )
    found = [_filled(base, report.imported, report, folder, setting)]
    for seen in report.calls:
        step = scenario.steps[seen.step]
        call = replace(base, key=f"{scenario.key}/{seen.step}", call=step.label, function=step.function)
        filled = _filled(call, seen, report, folder, setting)
        found.append(replace(filled, trace=replace(filled.trace, tasks=len({*(step.keys or ())}))))
    # Which call sees a task begin that a thread of the calling process runs is a matter of luck.
    mine = any(seen.in_caller for seen in report.calls)
    return [found[0], *(replace(call, in_caller=mine) for call in found[1:])]


def _filled(run: Run, seen: StepReport, report: _CallsReport, folder: RunFolder, setting: Setting) -> Run:
    told = answer(folder.box, seen.answer, setting.assignment.limits.answer_bytes) if seen.answer else Answer()
    ending = seen.ending
    lacks_value = run.function != "import" and ending is Ending.RETURNED and told.value is None
    if run.function == "import" and ending not in (Ending.RETURNED, Ending.BROKEN):
        ending = Ending.NOT_IMPORTED
    error = told.error
    facts: dict[str, Plain] = asdict(told.facts)
    facts |= {"functions": told.functions, "queues": list(told.queues), "missing": error.missing if error else ""}
    return replace(
        run,
        ending=ending,
        why=seen.why,
        stopped=seen.stopped,
        exitcode=seen.exitcode,
        value=["object", UNREADABLE] if lacks_value else told.value,
        error=error,
        facts=facts,
        printed=seen.printed,
        seconds=seen.seconds,
        blocked=seen.blocked,
        tries=seen.tries,
        import_children=sum(not process.helper for process in report.imported.processes),
        trace=seen.trace(report.observer),
    )
