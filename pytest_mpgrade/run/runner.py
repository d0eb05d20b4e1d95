"""Scenario -> Runs, as pytest sees it: start a supervisor, read its report, clean up last.

What the supervisor and the child
tell is JSON of a fixed shape and size; nothing that a process with student code in it wrote is ever unpickled.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import pickle
import secrets
import shutil
import tempfile
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from pytest_mpgrade.errors import SupervisorError
from pytest_mpgrade.records import (
    Assignment,
    Ending,
    GateEvent,
    GateReport,
    Leftover,
    Plain,
    ProcessSeen,
    RaisedError,
    Run,
    Scenario,
    Stuck,
    Submission,
    Trace,
)
from pytest_mpgrade.run import leftovers, servers
from pytest_mpgrade.run.observe_portable import end_marked

SPARE_SECONDS = 60.0
"""What the supervisor gets beyond the sum of its own limits before it is given up."""


_SUPERVISED = ("do", "gates", "again", "same_holdings", "n", "seconds", "patience", "save", "drop", "last")


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What is the same for all runs of one grading."""

    assignment: Assignment
    submission: Submission
    observer: str = "auto"


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """What the supervisor reports of the import or of one call."""

    ending: Ending
    why: str = ""
    step: int = -1
    caller: int = 0
    in_caller: bool = False
    answer: str = ""
    events: tuple[GateEvent, ...] = ()
    processes: tuple[ProcessSeen, ...] = ()
    leftovers: tuple[Leftover, ...] = ()
    stuck: tuple[Stuck, ...] = ()
    gates: GateReport | None = None
    printed: str = ""
    seconds: float = 0.0
    blocked: float = 0.0
    tries: int = 1


@dataclass(frozen=True, kw_only=True)
class _SupervisorReport:
    imported: _Seen
    calls: tuple[_Seen, ...]
    clean: bool
    removed: tuple[str, ...]
    observer: str
    seconds: float
    stderr: str = ""


@dataclass(frozen=True, kw_only=True)
class _Error(RaisedError):
    missing: str = ""


@dataclass(frozen=True, kw_only=True)
class _Answer:
    """What the child tells of the import or of one call."""

    facts: dict[str, Plain] = field(default_factory=dict)
    value: Plain = None
    queues: tuple[Plain, ...] = ()
    error: _Error | None = None
    functions: dict[str, Plain] = field(default_factory=dict)


def key_of(scenario: Scenario) -> str:
    """Return a name for a scenario; equal scenarios have equal names."""
    return hashlib.sha256(pickle.dumps((scenario.start_method, scenario.steps), protocol=4)).hexdigest()[:16]


def run(scenario: Scenario, setting: Setting) -> tuple[Run, ...]:
    """Run a scenario against the submission; one Run for each step that was reached, the import's first.

    Raises SupervisorError when the supervisor broke: the grader or the machine is at fault.
    """
    folder = tempfile.mkdtemp(prefix="mpgrade-")
    prefix = f"/mg{secrets.token_hex(3)}"  # names of shared memory have 14 characters in all
    try:
        for name in ("scratch", "answers", "gates"):
            os.mkdir(os.path.join(folder, name))
        request = _request(scenario, setting, folder, prefix)
        report = _supervise(request, scenario, setting)
        return tuple(_runs(report, scenario, folder, setting))
    except SupervisorError:
        end_marked(prefix)  # nothing where ptrace is permitted: what a supervisor traces dies with it
        raise
    finally:
        leftovers.remove(prefix)  # nothing, unless the supervisor was killed
        shutil.rmtree(folder, ignore_errors=True)


def _request(scenario: Scenario, setting: Setting, folder: str, prefix: str) -> dict[str, Any]:
    submission, assignment = setting.submission, setting.assignment
    child_request = os.path.join(folder, "request")
    with open(child_request, "wb") as file:
        pickle.dump(_child_request(scenario, setting, folder, prefix), file, protocol=4)
    environment = {name: os.environ[name] for name in ("PATH", "LANG", "SYSTEMROOT") if name in os.environ}
    scratch = os.path.join(folder, "scratch")
    return {
        "run_folder": folder,
        "child_request": child_request,
        "scratch": scratch,
        "gate_folder": os.path.join(folder, "gates"),
        "submission": submission.folder,
        "prefix": prefix,
        "observer": setting.observer,
        "limits": dataclasses.asdict(assignment.limits),
        "steps": [{name: getattr(step, name) for name in _SUPERVISED} for step in scenario.steps],
        "environment": environment
        | {
            "HOME": scratch,
            "TMPDIR": scratch,
            "TEMP": scratch,
            "MPGRADE_RUN": prefix,
            "USER": "student",
            "LOGNAME": "student",
        }
        | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONIOENCODING": "utf-8:backslashreplace"}
        | {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")},
    }


def _child_request(scenario: Scenario, setting: Setting, folder: str, prefix: str) -> dict[str, Any]:
    return {
        "folder": setting.submission.folder,
        "module": setting.submission.module.removesuffix(".py"),
        "packages": [name for name in setting.submission.imports if name == "multiprocess"],
        "start_method": scenario.start_method,
        "functions": list(setting.assignment.functions),
        "prefix": prefix,
        "answers": os.path.join(folder, "answers"),
        "steps": [
            {name: getattr(step, name) for name in ("do", "function", "args", "kwargs", "save", "opaque", "drop")}
            for step in scenario.steps
        ],
    }


def _supervise(request: dict[str, Any], scenario: Scenario, setting: Setting) -> _SupervisorReport:
    limits = setting.assignment.limits
    seconds = 2 * limits.import_seconds + SPARE_SECONDS
    for step in scenario.steps:
        seconds += (step.seconds or limits.seconds) + 15 + (step.again or {}).get("seconds", 0)
    line = servers.ask(request, seconds)
    try:
        return msgspec.json.decode(line, type=_SupervisorReport)
    except msgspec.MsgspecError as error:
        raise SupervisorError(
            f"the supervisor's report cannot be read: {line[:200].decode(errors='replace')} ({error})"
        ) from None


def _runs(report: _SupervisorReport, scenario: Scenario, folder: str, setting: Setting) -> list[Run]:
    key = key_of(scenario)
    if not report.clean:
        raise SupervisorError("some process of the run could not be ended")
    base = Run(
        key=f"{key}/import",
        call=f"import {setting.submission.module.removesuffix('.py')}",
        function="import",
        start_method=scenario.start_method,
        ending=Ending.BROKEN,
        stderr=report.stderr,
    )
    found = [_filled(base, report.imported, report, folder, setting)]
    for seen in report.calls:
        step = scenario.steps[seen.step]
        call = replace(base, key=f"{key}/{seen.step}", call=step.label, function=step.function)
        found.append(_filled(call, seen, report, folder, setting))
    return found


def _filled(run: Run, seen: _Seen, report: _SupervisorReport, folder: str, setting: Setting) -> Run:
    answer = _answer(folder, seen.answer, setting) if seen.answer else _Answer()
    ending = seen.ending
    if run.function == "import" and ending not in (Ending.RETURNED, Ending.BROKEN):
        ending = Ending.NOT_IMPORTED
    error = answer.error
    facts = {name: answer.facts.get(name) for name in ("set_start_method", "start_method_now")}
    facts |= {"functions": answer.functions, "queues": list(answer.queues), "missing": error.missing if error else ""}
    return replace(
        run,
        ending=ending,
        why=seen.why,
        value=answer.value,
        error=error,
        facts=facts,
        printed=seen.printed,
        seconds=seen.seconds,
        blocked=seen.blocked,
        tries=seen.tries,
        in_caller=seen.in_caller,
        import_children=sum(not process.helper for process in report.imported.processes),
        trace=Trace(
            caller=seen.caller,
            observer=report.observer,
            events=seen.events,
            processes=seen.processes,
            leftovers=seen.leftovers,
            stuck=seen.stuck,
            gates=seen.gates,
        ),
    )


def _answer(folder: str, name: str, setting: Setting) -> _Answer:
    path = os.path.join(folder, "answers", f"{name}.json")
    cap = setting.assignment.limits.answer_bytes
    try:
        with open(path, "rb") as file:
            data = file.read(cap + 1)
        if len(data) > cap:
            raise ValueError
        return msgspec.json.decode(data, type=_Answer)
    except (OSError, ValueError):
        return _Answer(value=["object", "an answer that the grader cannot read"])
