"""The object that a test holds: call the student's functions, play a sequence of calls, check what was seen."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

from pytest_mpgrade import steps as make
from pytest_mpgrade.errors import SupervisorError, SupervisorKilledError
from pytest_mpgrade.judge.check import Judge, judge_safely
from pytest_mpgrade.judge.hangs import not_told
from pytest_mpgrade.judge.interface import unusable, why_not_imported
from pytest_mpgrade.judge.returned import blamed_for
from pytest_mpgrade.records import Assignment, Ending, Finding, Run, Scenario, Step, Submission
from pytest_mpgrade.run import runner, servers
from pytest_mpgrade.run.runner import Setting
from pytest_mpgrade.tasks import held

LUCKY_TRIES = 3
"""A race that is lost half of the time looks like a matter of start methods in 1 of 64 then."""
CONTROL = Submission(id="control", path="", folder="", module="pytest_mpgrade.inside.control.py")


class Grading:
    """What all tests of one pytest process share: the setting, and every run that was made, or is being made.

    Runs are made by a few threads, each waiting for a supervisor of its own: runs mostly wait, at gates and for
    interpreters to start, and no verdict depends on the machine's load.
    """

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self._runs: dict[str, Future[tuple[Run, ...]]] = {}
        self._closed = False
        # Where signals are not kept apart a filter keeps them off a run's own supervisor, and could not know of others.
        apart = setting.isolation.level not in ("none", "landlock-files") or not sys.platform.startswith("linux")
        self._turn: AbstractContextManager[object] = nullcontext() if apart else threading.Lock()
        self._threads = ThreadPoolExecutor(max_workers=max(2, min(6, usable_cores() + 1)), thread_name_prefix="mpgrade")

    def run(self, scenario: Scenario) -> tuple[Run, ...]:
        """Run a scenario, or return what it gave before: one Run for each step, the import's first."""
        key = runner.key_of(scenario)
        known = self._runs.get(key)
        if known is not None and not known.cancel():
            return known.result()
        # New, or still waiting for its turn in the background: whoever asks for it now does not wait for others.
        found: Future[tuple[Run, ...]] = Future()
        self._runs[key] = found
        found.set_result(self._make(scenario, key))
        return found.result()

    def run_again(self, scenario: Scenario) -> tuple[Run, ...]:
        """Run a scenario once more, whatever it gave before."""
        return self._make(scenario, runner.key_of(scenario))

    def prepare(self, scenario: Scenario) -> None:
        """Have a scenario run in the background, unless it has been."""
        key = runner.key_of(scenario)
        if key not in self._runs:
            self._runs[key] = self._threads.submit(self._make, scenario, key)

    def _make(self, scenario: Scenario, key: str) -> tuple[Run, ...]:
        """A supervisor that breaks is tried once more: a fault of ours must not cost anybody points."""
        if self._closed:
            return _broken(scenario, key, SupervisorError("the grading was broken off"))
        try:
            with self._turn:
                return make_runs(scenario, self.setting, key)
        except SupervisorError as error:
            if self._closed:
                return _broken(scenario, key, error)
        try:
            with self._turn:
                return make_runs(scenario, self.setting, key)
        except SupervisorKilledError as error:
            if not self._closed:
                return _broken(scenario, key, error, Ending.STOPPED)
            return _broken(scenario, key, error)
        except SupervisorError as error:
            return _broken(scenario, key, error)

    def done(self) -> list[Run]:
        """Return all runs that have been made."""
        return [
            run for future in self._runs.values() if future.done() and not future.cancelled() for run in future.result()
        ]

    def close(self) -> None:
        """End what still runs."""
        self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        servers.end_all()
        self._threads.shutdown(wait=True)


def _came_back(runs: Sequence[Run]) -> bool:
    """Tell whether all calls of a scenario returned; the first of its runs is the import."""
    return all(run.ending is Ending.RETURNED for run in runs[1:])


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def make_runs(scenario: Scenario, setting: Setting, key: str) -> tuple[Run, ...]:
    """Run a scenario; return one Run for each step, also for those that were not reached."""
    return _complete(runner.run(scenario, setting), scenario, key)


def _broken(scenario: Scenario, key: str, error: SupervisorError, ending: Ending = Ending.BROKEN) -> tuple[Run, ...]:
    """Return runs of which nothing is known; *ending*: BROKEN, or STOPPED where the submission is to blame for that."""
    base = Run(
        key=key,
        call="import",
        function="import",
        start_method=scenario.start_method,
        ending=ending,
        why=str(error),
        stopped=str(error) if ending is Ending.STOPPED else "",
    )
    calls = tuple(replace(base, call=step.label, function=step.function) for step in scenario.steps)
    if ending is Ending.STOPPED:  # by one of the calls, or where there is none by the import
        base = replace(base, ending=Ending.NOT_TRIED if calls else Ending.NOT_IMPORTED)
    return (base, *calls)


def _complete(found: Sequence[Run], scenario: Scenario, key: str) -> tuple[Run, ...]:
    """Add a Run for each step that was not reached."""
    imported, *calls = found
    broken = imported.why if imported.ending is Ending.BROKEN else "the module could not be imported"
    why = f"{calls[-1].call} did not come back" if calls else broken
    because = blamed_for(calls[-1]) if calls else "imports_cleanly"
    missing = tuple(
        Run(
            key=f"{key}/{number}", call=step.label, function=step.function, start_method=scenario.start_method,
            ending=imported.ending if imported.ending in (Ending.NOT_IMPORTED, Ending.BROKEN) else Ending.NOT_TRIED,
            why=why, because=because,
        )
        for number, step in enumerate(scenario.steps[len(calls) :], len(calls))
    )  # fmt: skip
    return (*found, *missing)


class Student:
    """The submission, as one test under one start method sees it."""

    def __init__(self, grading: Grading, start_method: str) -> None:
        self._grading = grading
        self._relied: Run | None = None
        self._relied_functions: set[str] = set()
        self.start_method = start_method
        self.findings: list[Finding] = []

    @property
    def assignment(self) -> Assignment:
        """The assignment that is graded."""
        return self._grading.setting.assignment

    def call(self, function: str, *args: Any, **kwargs: Any) -> Run:
        """Call a function of the submission in a process of its own; see `steps.call` for the options.

        A `tasks.Workload` stands for its tasks and brings its gate script with it.
        """
        return self.play(make.call(function, *args, **kwargs))[0]

    def play(self, *steps: Step) -> tuple[Run, ...]:
        """Make several calls in one process; return one Run for each step."""
        not_tried = self._not_tried(steps)
        if not_tried is not None:
            return not_tried
        return tuple(self._confirmed(run) for run in self._grading.run(self._scenario(steps))[1:])

    def prepare(self, *plays: Sequence[Step]) -> None:
        """Have these plays made in the background, each in a process of its own; `play` then finds them done."""
        for steps in plays:
            if self._not_tried(steps) is None:
                self._grading.prepare(self._scenario(steps))

    def imported(self) -> Run:
        """Return what was seen when the module was imported."""
        for run in self._grading.done():
            told = run.ending in (Ending.RETURNED, Ending.NOT_IMPORTED)
            if told and run.function == "import" and run.start_method == self.start_method:
                return run
        return self._grading.run(self._scenario(()))[0]

    def why_not_imported(self) -> str:
        """Return why the module could not be imported, as far as is known by now; "" if it could."""
        for run in self._grading.done():
            if run.function == "import" and run.start_method == self.start_method and run.ending is Ending.NOT_IMPORTED:
                return why_not_imported(run).message
        return ""

    def rely_on(self, *steps: Step) -> tuple[Run, ...]:
        """Make the plainest calls; while they do not return, this test makes no other of these functions, and says so.

        One that does not return here but under another start method says that (`Run.returned_under`).
        """
        runs = self.play(*steps)
        stuck = next((run for run in runs if run.ending is not Ending.RETURNED), None)
        self._relied = None
        if stuck is not None and stuck.ending in (
            Ending.HUNG,
            Ending.TIMED_OUT,
            Ending.DIED,
            Ending.STOPPED,
            Ending.RAISED,
        ):
            told = replace(stuck, returned_under=self._returns_under(steps, stuck))
            runs = tuple(told if run is stuck else run for run in runs)
            self._relied, self._relied_functions = told, {step.function for step in steps}
        return runs

    def check(self, run: Run, *checks: Judge) -> list[Finding]:
        """Judge a run; all checks are made, and the test fails at its end if one of them has failed."""
        found = [judge_safely(check, run) for check in checks]
        self.findings += found
        return found

    def _scenario(self, steps: Sequence[Step]) -> Scenario:
        return Scenario(steps=tuple(steps), start_method=self.start_method)

    def _not_tried(self, steps: Sequence[Step]) -> tuple[Run, ...] | None:
        """Return runs that were not tried where nothing can be learned from them."""
        because, why = self._reason_not_to_try(steps)
        if not because:
            return None
        return tuple(
            Run(
                key=f"{runner.key_of(self._scenario(steps))}/{number}", call=step.label, function=step.function,
                start_method=self.start_method, ending=Ending.NOT_TRIED, why=why, because=because,
            )
            for number, step in enumerate(steps)
        )  # fmt: skip

    def _reason_not_to_try(self, steps: Sequence[Step]) -> tuple[str, str]:
        imported = self.imported()
        if imported.ending is Ending.NOT_IMPORTED:
            return "imports_cleanly", "the module could not be imported"
        wrong = unusable(
            imported,
            {
                name: asked
                for name, asked in self.assignment.functions.items()
                if any(s.function == name for s in steps)
            },
        )
        if wrong:
            return "has_functions", next(iter(wrong.values()))
        relied = self._relied
        if relied is None or not self._relied_functions & {step.function for step in steps}:
            return "", ""
        return blamed_for(relied), f"the plainest call, {relied.call}, ended before it had returned ({relied.ending})"

    def _returns_under(self, steps: Sequence[Step], stuck: Run) -> str:
        lucky = not_told(stuck)
        for method in self.assignment.start_methods:
            if method != self.start_method and method in multiprocessing.get_all_start_methods():
                there = Scenario(steps=tuple(steps), start_method=method)
                if _came_back(self._grading.run(there)) and not (lucky and self._differs_by_luck(there)):
                    return method
        return ""

    def _differs_by_luck(self, there: Scenario) -> bool:
        """Who gets which sentinel may be a race: try both start methods again before one of them is blamed."""
        here = replace(there, start_method=self.start_method)
        for _ in range(LUCKY_TRIES):
            if _came_back(self._grading.run_again(here)) or not _came_back(self._grading.run_again(there)):
                return True
        return False

    def _confirmed(self, run: Run) -> Run:
        """Before a submission is blamed for not meeting at a gate, the grader's own processes must have met there."""
        gates = run.trace.gates
        unmet = (
            gates is not None and gates.script == "line" and not gates.early and (not gates.met or bool(gates.waiting))
        )
        if not unmet and run.ending is not Ending.TIMED_OUT:
            return run
        setting = replace(self._grading.setting, submission=CONTROL)
        workload = held(12)
        n = gates.wanted if gates is not None and gates.wanted else 2
        script = {"script": "line", "n": n, "keys": list(workload.keys), "seed": 1}
        step = make.call("mp_apply", workload, n_processes=n, gates=script)
        scenario = self._scenario((step,))
        try:
            done = make_runs(scenario, setting, runner.key_of(scenario))[-1]
        except SupervisorError:
            return replace(run, control=False)
        met = done.trace.gates is not None and done.trace.gates.met and done.ending is Ending.RETURNED
        return replace(run, control=met)
