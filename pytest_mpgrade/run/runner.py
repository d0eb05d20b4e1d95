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
import stat
import tempfile
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from pytest_mpgrade.errors import SupervisorError, SupervisorKilledError
from pytest_mpgrade.records import (
    Assignment,
    Ending,
    GateEvent,
    GateReport,
    Leftover,
    Look,
    Plain,
    ProcessSeen,
    RaisedError,
    Run,
    Scenario,
    Stuck,
    Submission,
    Trace,
)
from pytest_mpgrade.run import leftovers, servers, trees
from pytest_mpgrade.run.confine import RunFolder
from pytest_mpgrade.run.isolation import Isolation
from pytest_mpgrade.run.observe_portable import end_marked

SPARE_SECONDS = 60.0
"""What the supervisor gets beyond the sum of its own limits before it is given up."""


_MOST_KEYS = 20_000
_SUPERVISED = ("do", "gates", "again", "same_holdings", "n", "seconds", "patience", "save", "drop", "last", "look")


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What is the same for all runs of one grading."""

    assignment: Assignment
    submission: Submission
    observer: str = "auto"
    isolation: Isolation = field(default_factory=Isolation)


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """What the supervisor reports of the import or of one call."""

    ending: Ending
    why: str = ""
    stopped: str = ""
    step: int = -1
    caller: int = 0
    in_caller: bool = False
    answer: str = ""
    events: tuple[GateEvent, ...] = ()
    processes: tuple[ProcessSeen, ...] = ()
    leftovers: tuple[Leftover, ...] = ()
    stuck: tuple[Stuck, ...] = ()
    gates: GateReport | None = None
    looks: tuple[Look, ...] = ()
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
        RunFolder.make(folder)
        request = _request(scenario, setting, folder, prefix)
        report = _supervise(request, scenario, setting)
        return tuple(_runs(report, scenario, folder, setting))
    except SupervisorError:
        end_marked(prefix)  # nothing where ptrace is permitted: what a supervisor traces dies with it
        raise
    finally:
        leftovers.remove(prefix)  # nothing, unless the supervisor was killed
        trees.remove(folder)


def _request(scenario: Scenario, setting: Setting, folder: str, prefix: str) -> dict[str, Any]:
    submission, assignment = setting.submission, setting.assignment
    run_folder = RunFolder(path=folder)
    child_request = os.path.join(run_folder.box, "request")
    with open(child_request, "wb") as file:
        pickle.dump(_child_request(scenario, setting, folder, prefix), file, protocol=4)
    environment = {name: os.environ[name] for name in ("PATH", "LANG", "SYSTEMROOT") if name in os.environ}
    scratch = run_folder.scratch
    return {
        "run_folder": folder,
        "child_request": child_request,
        "isolation": dataclasses.asdict(setting.isolation),
        "keys": _keys(scenario),
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


def _keys(scenario: Scenario) -> list[str] | None:
    """Return the keys of all tasks that are handed out; None where some of them are not known."""
    known = [step.keys for step in scenario.steps if step.do == "call"]
    found = [key for keys in known for key in keys or ()]
    return None if any(keys is None for keys in known) or len(found) > _MOST_KEYS else found


def _child_request(scenario: Scenario, setting: Setting, folder: str, prefix: str) -> dict[str, Any]:
    return {
        "folder": setting.submission.folder,
        "module": setting.submission.module.removesuffix(".py"),
        "packages": [name for name in setting.submission.imports if name == "multiprocess"],
        "start_method": scenario.start_method,
        "functions": list(setting.assignment.functions),
        "prefix": prefix,
        "answers": RunFolder(path=folder).box,
        "most_processes": 2 * setting.assignment.limits.processes + 100 if setting.isolation.bwrap else 0,
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
    if line.startswith(b'{"killed_by"'):
        raise SupervisorKilledError(f"the supervisor was killed by signal {msgspec.json.decode(line)['killed_by']}")
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
    facts = {name: answer.facts.get(name) for name in ("set_start_method", "start_method_now", "side_effects")}
    facts |= {"functions": answer.functions, "queues": list(answer.queues), "missing": error.missing if error else ""}
    return replace(
        run,
        ending=ending,
        why=seen.why,
        stopped=seen.stopped,
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
            looks=seen.looks,
        ),
    )


def _answer(folder: str, name: str, setting: Setting) -> _Answer:
    """Read what the child has written: a plain file of a capped size, whatever else may lie there in its place."""
    path = os.path.join(RunFolder(path=folder).box, f"{name}.json")
    cap = setting.assignment.limits.answer_bytes
    try:
        with open(os.open(path, _PLAINLY), "rb") as file:
            data = file.read(cap + 1) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else b""
        if len(data) > cap:
            raise ValueError
        return msgspec.json.decode(data, type=_Answer)
    except (OSError, ValueError, RecursionError):
        return _Answer(value=["object", "an answer that the grader cannot read"])


_PLAINLY = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
