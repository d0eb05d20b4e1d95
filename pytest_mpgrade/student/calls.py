"""The object that a test holds for a submission.

A test calls the student's functions by it, plays a sequence of calls, and checks the runs.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from pytest_mpgrade.judge.attribution import blamed_for
from pytest_mpgrade.judge.check import Judge, judge_safely
from pytest_mpgrade.judge.checks.coming_back import MUCH_FASTER
from pytest_mpgrade.judge.checks.interface import unusable, why_not_imported
from pytest_mpgrade.records import (
    Assignment,
    Ending,
    Exploration,
    Finding,
    Outcome,
    Run,
    Scaling,
    Scenario,
    Step,
    Timing,
    as_kind,
    schedule_in,
)
from pytest_mpgrade.steps import call
from pytest_mpgrade.student import timing
from pytest_mpgrade.student.confirmation import confirmed
from pytest_mpgrade.student.exploration import Explorer, asked_steps
from pytest_mpgrade.student.runs import RunCache
from pytest_mpgrade.student.shared_plays import is_clean
from pytest_mpgrade.student.start_method_comparison import returning_method
from pytest_mpgrade.student.unmade_runs import linked_runs, untried_runs, with_givers

_FAULTLESS = (Outcome.PASSED, Outcome.SKIPPED)


class Student:
    """The submission, as one test under one start method sees it."""

    def __init__(
        self,
        runs: RunCache,
        start_method: str,
        reference: Callable[[], RunCache | None] = lambda: None,
        *,
        ahead: Sequence[str] = (),
    ) -> None:
        self._runs = runs
        self._reference = reference
        # Under these start methods the same runs are made in the background.
        self.ahead = ahead
        # plainest calls that did not return, by the functions that depend on them
        self._relied: dict[frozenset[str], Run] = {}
        self._left_nothing = True  # the plainest calls, as far as they have been made
        self._shared: dict[str, tuple[Step, ...]] = {}  # by the key of a run in a shared process
        self.start_method = start_method
        self.findings: list[Finding] = []
        self.relied_on: tuple[Run, ...] = ()  # the runs of the plainest calls
        self.judged: dict[str, Run] = {}  # those that the test has asked about, by key

    @property
    def assignment(self) -> Assignment:
        """The assignment that is graded."""
        return self._runs.setting.assignment

    def call(self, function: str, *args: Any, **kwargs: Any) -> Run:
        """Call a function of the submission in a process of its own.

        See `steps.call` for the options. A `tasks.Workload` stands for its tasks and brings its
        gate script with it.
        """
        run = self.play(call(function, *args, **kwargs))[0]
        self.judged[run.key] = run
        return run

    def play(self, *steps: Step) -> tuple[Run, ...]:
        """Make several calls in one process; return one Run for each step."""
        scenario = self._scenario(steps)
        if self._known_import() is None:
            self._runs.run(scenario)  # shows the import as well
        not_tried = self._not_tried(steps)
        if not_tried is not None:
            return not_tried
        for method in self.ahead:
            self._runs.prepare(replace(scenario, start_method=method))
        runs = [
            confirmed(run, scenario, at, self._runs, self._reference)
            for at, run in enumerate(self._runs.run(scenario)[1:], 1)
        ]
        if any(_may_need_longer(run, step) for run, step in zip(runs, steps, strict=True)):
            return self.play(
                *(
                    replace(step, seconds=step.longest or step.seconds, longest=0.0)
                    for step in steps
                )
            )
        if self._runs.shared.of(scenario) is not None:
            self._shared[runs[0].key] = steps
        return linked_runs(with_givers(runs, steps))

    def together(self, *steps: Step) -> None:
        """Have these calls share a process where a test plays one alone; see `shared_plays`.

        That is for calls that are asked about by `check` only. Call it in a fixture, with the calls
        that are most likely to fail last, and after `rely_on`: where the plainest calls left
        something behind, the others would too, and each is made by itself.
        """
        if not self._left_nothing:
            return
        for method in (self.start_method, *self.ahead):
            self._runs.shared.add([Scenario(steps=(step,), start_method=method) for step in steps])

    def prepare(self, *plays: Sequence[Step]) -> None:
        """Have these plays made in the background, each in a process of its own.

        `play` then returns their runs. Call it in a fixture, with the longest play first: that one
        begins first under every start method. The plays of tests marked ``rehearsed`` are made
        after these.
        """
        for place, steps in enumerate(plays):
            self._prepare(steps, place)

    def _prepare(self, steps: Sequence[Step], place: int) -> None:
        if self._not_tried(steps) is None:
            self._runs.prepare(self._scenario(steps), place)

    def imported(self) -> Run:
        """Return the run of the module's import."""
        return self._known_import() or self._runs.run(self._scenario(()))[0]

    def _known_import(self) -> Run | None:
        for run in self._runs.done():
            known = run.ending in (Ending.RETURNED, Ending.NOT_IMPORTED)
            if known and run.function == "import" and run.start_method == self.start_method:
                return run
        return None

    def why_not_imported(self) -> str:
        """Return why the module could not be imported, as far as is known by now.

        The answer is "" if it could be imported, or if no import has been made yet.
        """
        for run in self._runs.done():
            if (
                run.function == "import"
                and run.start_method == self.start_method
                and run.ending is Ending.NOT_IMPORTED
            ):
                return why_not_imported(run).message
        return ""

    def rely_on(self, *steps: Step) -> tuple[Run, ...]:
        """Make the plainest calls, on which all other calls of these functions depend.

        While they do not return, this test makes no other call of these functions, and says so. A
        call that does not return here but under another start method says that
        (`Run.returned_under`). Functions that do not depend on each other are relied on one by one.
        """
        runs = self.play(*steps)
        self._left_nothing = self._left_nothing and all(map(is_clean, runs))
        stuck = next((run for run in runs if run.ending is not Ending.RETURNED), None)
        functions = frozenset(step.function for step in steps)
        self._relied.pop(functions, None)
        if stuck is not None and stuck.ending in (
            Ending.HUNG,
            Ending.TIMED_OUT,
            Ending.DIED,
            Ending.STOPPED,
            Ending.RAISED,
        ):
            explained = replace(
                stuck, returned_under=returning_method(self._scenario(steps), stuck, self._runs)
            )
            runs = linked_runs([explained if run is stuck else run for run in runs])
            self._relied[functions] = explained
        self.relied_on = runs
        return runs

    def elsewhere(self) -> list[Student]:
        """Return the same submission under each other start method of the assignment."""
        return [
            Student(self._runs, method, self._reference)
            for method in self.assignment.start_methods
            if method != self.start_method and method in multiprocessing.get_all_start_methods()
        ]

    def time(self, function: str, *, n_processes: int = 2, against_serial: bool = False) -> Timing:
        """Time a function of tasks and *n_processes* in turn with the reference's.

        See `timing` for how. The result is for `checks.keeps_up_with_reference`, and with
        *against_serial* for `checks.faster_than_serial`. Without *against_serial*, one process is
        timed too in the first pairs only, for learning. A timing that is not clear beside other
        gradings is made again alone on the machine: it waits for them, and they wait for it.
        """
        reference = self._reference()
        if reference is None:
            return timing.without_reference(function, self.start_method)
        stuck = self._not_tried((call(function, words="timed tasks", n_processes=n_processes),))
        if stuck is not None:
            return as_kind(Timing, stuck[0])
        timer = self._timer(reference, function, n_processes, against_serial=against_serial)
        return timer.take(self.assignment.speedup)

    def scale(self, function: str, workers: Sequence[int] = (1, 2, 4)) -> Scaling:
        """Time a function of tasks that wait with several numbers of processes; `checks.scales`."""
        stuck = self._not_tried((call(function, words="timed tasks"),))
        if stuck is not None:
            return as_kind(Scaling, stuck[0])
        return self._timer(self._runs, function, max(workers)).scale(workers)

    def _timer(
        self, reference: RunCache, function: str, n: int, *, against_serial: bool = False
    ) -> timing.Timer:
        return timing.Timer(
            own=self._runs.setting,
            theirs=reference.setting,
            function=function,
            n=n,
            start_method=self.start_method,
            tell=self._runs.tell,
            against_serial=against_serial,
        )

    def explore(self, *parts: Step | Judge, share: float = 1.0) -> Exploration:
        """Make calls under many schedules, each with a thread held back at a point.

        *parts* are steps, each followed by the checks that its run has to pass under all of them.
        *share*: the part of the assignment's ``[explore] seconds`` that this may take. The result
        is for `checks.holds_under_every_schedule`.
        """
        asked = asked_steps(parts)
        stuck = self._not_tried([each.step for each in asked])
        if stuck is not None:
            return as_kind(Exploration, stuck[0])
        rules = self.assignment.explore
        explorer = Explorer(self._runs.setting, self.start_method, asked)
        if rules.replay:
            return explorer.replay(schedule_in(rules.replay))
        return explorer.explore(share * rules.seconds, rules.depth)

    def check(self, run: Run, *checks: Judge) -> list[Finding]:
        """Judge a run by each of these checks.

        All checks are made, and the test fails at its end if one of them has failed. A call in a
        shared process that does not pass all of them is made again in a process of its own.
        """
        findings = [judge_safely(check, run) for check in checks]
        steps = self._shared.get(run.key)
        if steps and any(finding.outcome not in _FAULTLESS for finding in findings):
            self._runs.shared.leave(self._scenario(steps))
            (apart,) = self.play(*steps)
            run, findings = apart, [judge_safely(check, apart) for check in checks]
        self.findings += findings
        self.judged[run.key] = run
        return findings

    def _scenario(self, steps: Sequence[Step]) -> Scenario:
        return Scenario(steps=tuple(steps), start_method=self.start_method)

    def _not_tried(self, steps: Sequence[Step]) -> tuple[Run, ...] | None:
        """Return runs that were not tried where nothing can be learned from them."""
        because, why, cause = self._reason_not_to_try(steps)
        return untried_runs(self._scenario(steps), because, why, cause) if because else None

    def _reason_not_to_try(self, steps: Sequence[Step]) -> tuple[str, str, Run | None]:
        """Return why nothing is tried: the check that says so, the reason in words, the run.

        The check is "" where the steps may be tried.
        """
        imported = self.imported()
        if imported.ending is Ending.NOT_IMPORTED:
            return "imports_cleanly", "the module could not be imported", imported
        called = {step.function for step in steps}
        needed = called | {name for step in steps for name in step.own}
        functions = {
            name: asked for name, asked in self.assignment.functions.items() if name in needed
        }
        wrong = unusable(imported, functions)
        if wrong:
            return "has_functions", next(iter(wrong.values())), imported
        relied = next((run for names, run in self._relied.items() if names & needed), None)
        if relied is None:
            return "", "", None
        why = f"the plainest call, {relied.call}, ended before it had returned ({relied.ending})"
        return blamed_for(relied), why, relied


def _may_need_longer(run: Run, step: Step) -> bool:
    """Tell whether a call that reached its time limit may get a longer one.

    It may not where the reference's time shows that the submission is slow.
    """
    proven = 0 < run.theirs <= MUCH_FASTER * run.seconds
    return run.ending is Ending.TIMED_OUT and step.longest > step.seconds and not proven
