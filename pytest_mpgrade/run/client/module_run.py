"""Scenario -> Runs, as pytest sees it.

This asks a supervisor, and puts its report and the child's answers into records.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_mpgrade.isolation.run_folder import RunFolder
from pytest_mpgrade.records import Ending, PassedItem, Run, Scenario, Step, TimedStart
from pytest_mpgrade.run.client import passed_items, request
from pytest_mpgrade.run.client.answers import UNREADABLE, Answer, answer, visits
from pytest_mpgrade.run.client.request import Setting, workspace
from pytest_mpgrade.run.observe import deadline
from pytest_mpgrade.run.protocol import (
    START_SECONDS,
    Account,
    CallsReport,
    CallsRequest,
    StepRequest,
)

if TYPE_CHECKING:
    from pytest_mpgrade.inside.wire import ChildRequest

_MOST_KEYS = 20_000
"""Twice as many tasks as the largest call of the shipped assignments hands out. The supervisor
holds the keys of all, and with more it does not check what tasks say of themselves.
"""
_MOST_ORDERED = 500
"""Tasks whose place in the order of submission a trace keeps, to name them by."""


def run_module(scenario: Scenario, setting: Setting) -> tuple[Run, ...]:
    """Run a scenario against the submission; return one Run for each step that was reached.

    The first Run is the import's. Raises SupervisorError when the supervisor broke, for which the
    grader or the machine is to blame.
    """
    with workspace() as (folder, prefix):
        report = request.ask_supervisor(
            _request(scenario, setting, folder, prefix), _seconds(scenario, setting), CallsReport
        )
        return tuple(_runs(report, scenario, folder, setting))


def _request(scenario: Scenario, setting: Setting, folder: RunFolder, prefix: str) -> CallsRequest:
    child_request = os.path.join(folder.box, "request")
    with open(child_request, "wb") as file:
        pickle.dump(_child_request(scenario, setting, folder, prefix), file, protocol=4)
    return CallsRequest(
        run_folder=folder.path,
        isolation=setting.isolation,
        shown=setting.submission.folder,
        start_method=scenario.start_method,
        prefix=prefix,
        observer=setting.observer,
        limits=setting.assignment.limits,
        environment=request.environment(folder, prefix) | _noted(scenario, folder),
        child_request=child_request,
        keys=_keys(scenario),
        pages=tuple(dict.fromkeys(page for step in scenario.steps for page in step.pages)),
        steps=tuple(map(_step_request, scenario.steps)),
    )


def _noted(scenario: Scenario, folder: RunFolder) -> dict[str, str]:
    """Return what tells the processes of an exploration where its plan is, and others what to note.

    Processes of a timed call note nothing: that takes time.
    """
    if any(step.explored for step in scenario.steps):
        return {"MPGRADE_POINTS": os.path.join(folder.box, "points")}
    if any(isinstance(step.gates, TimedStart) for step in scenario.steps):
        return {}
    return {"MPGRADE_PASSED": os.path.join(folder.box, passed_items.FILE)}


def _step_request(step: Step) -> StepRequest:
    return StepRequest(
        do=step.do,
        label=step.label,
        gates=step.gates,
        again=step.again,
        same_holdings=step.same_holdings,
        n=step.n,
        seconds=step.seconds,
        patience=step.patience,
        save=step.save,
        drop=step.drop,
        last=step.last,
        look=step.look,
        let=step.let,
        awaited=step.awaited,
    )


def _keys(scenario: Scenario) -> tuple[str, ...] | None:
    """Return the keys of all tasks that are handed out; None where some of them are not known."""
    known = [step.keys for step in scenario.steps if step.do == "call"]
    all_keys = tuple(key for keys in known for key in keys or ())
    return None if any(keys is None for keys in known) or len(all_keys) > _MOST_KEYS else all_keys


def _child_request(
    scenario: Scenario, setting: Setting, folder: RunFolder, prefix: str
) -> ChildRequest:
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
            {
                "do": step.do,
                "function": step.function,
                "ours": step.ours,
                "args": step.args,
                "kwargs": step.kwargs,
                "save": step.save,
                "opaque": step.opaque,
                "via": step.via,
                "keeps_processes": step.keeps_processes,
                "drop": step.drop,
                "explored": (step.explored.number, step.explored.holds) if step.explored else None,
                "awaited": step.awaited,
            }
            for step in scenario.steps
        ],
    }


def _seconds(scenario: Scenario, setting: Setting) -> float:
    """Return the sum of the supervisor's own limits, each put off as far as it can be."""
    limits = setting.assignment.limits
    seconds = START_SECONDS + limits.import_seconds
    for step in scenario.steps:
        seconds += (
            (step.seconds or limits.seconds) + 15 + (step.again.seconds if step.again else 0.0)
        )
    return (1 + deadline.MOST) * seconds


def _runs(
    report: CallsReport, scenario: Scenario, folder: RunFolder, setting: Setting
) -> list[Run]:
    base = Run(
        key=f"{scenario.key}/import",
        call=f"import {setting.submission.module.removesuffix('.py')}",
        function="import",
        start_method=scenario.start_method,
        ending=Ending.BROKEN,
        stderr=report.stderr,
        code=setting.submission.code,
    )
    runs = [_filled(base, report.imported, report, folder, setting)]
    explored = any(step.explored for step in scenario.steps)
    passed = visits(folder.box) if explored else {}
    notes = passed_items.notes_in(folder.box)
    for account in report.calls:
        step = scenario.steps[account.step]
        call = replace(
            base,
            key=f"{scenario.key}/{account.step}",
            call=step.label,
            function=step.function,
            named=step.kwargs,
            tasked=step.tasked,
            lazily=step.lazily,
            visits=passed.get(step.explored.number, ()) if step.explored else (),
        )
        filled = _filled(call, account, report, folder, setting)
        items = passed_items.passed_items(notes, account)
        runs.append(_with_items(filled, step.keys or (), items))
    # A thread of the calling process may run a task during any of the calls, by chance.
    mine = any(account.in_caller for account in report.calls)
    calls = [replace(call, in_caller=mine) for call in runs[1:]]
    return [runs[0], *(_beside_threads(call, calls[:at]) for at, call in enumerate(calls))]


def _with_items(run: Run, keys: Sequence[str], items: tuple[PassedItem, ...]) -> Run:
    """Return the run with the tasks that it was given, and the items that its processes passed."""
    order = tuple(keys[:_MOST_ORDERED])
    trace = replace(run.trace, tasks=len({*keys}), order=order, passed=items)
    return replace(run, trace=trace)


def _beside_threads(run: Run, earlier: Sequence[Run]) -> Run:
    """Return the run; where it computed to its end, with the call whose threads ran beside it.

    Threads of one process take turns: a call beside many that compute takes as many times longer.
    And it is they who spin.
    """
    if not run.trace.crowd:
        return run
    return replace(run, beside=next(filter(_left_thread, earlier), None))


def _left_thread(run: Run) -> bool:
    return any(item.kind == "thread" for item in run.trace.leftovers)


def _filled(
    run: Run, account: Account, report: CallsReport, folder: RunFolder, setting: Setting
) -> Run:
    child_answer = (
        answer(folder.box, account.answer, setting.assignment.limits.answer_bytes)
        if account.answer
        else Answer()
    )
    ending = account.ending
    lacks_value = (
        run.function != "import" and ending is Ending.RETURNED and child_answer.value is None
    )
    if run.function == "import" and ending not in (Ending.RETURNED, Ending.BROKEN):
        ending = Ending.NOT_IMPORTED
    error = child_answer.error
    missing = error.missing if error else ""
    facts = replace(
        child_answer.facts,
        functions=child_answer.functions,
        queues=child_answer.queues,
        missing=missing,
    )
    return replace(
        run,
        ending=ending,
        why=account.why,
        phase=account.phase,
        still_reading=account.still_reading,
        stopped=account.stopped,
        exitcode=account.exitcode,
        encoded=["object", UNREADABLE] if lacks_value else child_answer.value,
        error=error,
        facts=facts,
        printed=account.printed,
        seconds=account.seconds,
        blocked=account.blocked,
        tries=account.tries,
        import_children=sum(not process.helper for process in report.imported.processes),
        trace=account.trace(report.observer),
    )
