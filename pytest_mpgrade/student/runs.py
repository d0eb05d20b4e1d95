"""What all tests of one pytest process share: the setting, and every run that is made.

A run is made once, in the background or when a test asks for it.
"""

from __future__ import annotations

import contextlib
import itertools
import queue
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from pytest_mpgrade.errors import BrokenOffError, SupervisorError, SupervisorKilledError
from pytest_mpgrade.judge.hang_facts import crashed, in_its_pool
from pytest_mpgrade.records import Ending, Notebook, NotebookDocument, Run, Scenario
from pytest_mpgrade.run.client import module_run, notebook_run, supervisor_pool
from pytest_mpgrade.run.client.request import Setting
from pytest_mpgrade.student import admission
from pytest_mpgrade.student.admission import Admission
from pytest_mpgrade.student.shared_plays import SharedPlays
from pytest_mpgrade.student.unmade_runs import broken_runs, complete_runs
from pytest_mpgrade.submission import lacking
from pytest_mpgrade.system import machine_lock

TRIES = 2
"""Attempts at a run whose supervisor breaks: a fault of ours must not cost anybody points."""
LATER = 1_000
"""The place in the queue for runs that come after all that fixtures have prepared."""
FURTHER_TRIES = 2
"""Further attempts at a call that hung within a Pool or an executor, or crashed.

Only when it does so each time is the submission blamed for it.
"""

_Made = TypeVar("_Made")


@dataclass(order=True, frozen=True)
class _Waiting:
    """A run that waits for room; those of a lower place are begun first."""

    place: int
    number: int
    future: Future[Any] = field(compare=False)
    make: Callable[[], Any] = field(compare=False)


class RunCache:
    """See the module's docstring.

    Runs are made by a few threads, each waiting for a supervisor of its own: runs mostly wait, at
    gates and for interpreters to start, and no verdict depends on the machine's load.
    """

    def __init__(self, setting: Setting, tell: Callable[[str], None] = lambda _: None) -> None:
        self.setting = setting
        self.tell = tell  # shows a line to the user
        self.shared = SharedPlays()
        self._runs: dict[str, Future[tuple[Run, ...]]] = {}
        self._executed: dict[str, Future[Notebook]] = {}
        # scenario that did not return -> start method under which it does
        self.returned_under: dict[str, str] = {}
        # run that did not meet at its gates -> did the grader's own processes?
        self.controls: dict[str, bool] = {}
        # run that was not done in time -> seconds of the reference, 0 for unknown
        self.theirs: dict[str, float] = {}
        self._closed = False
        self._entering = threading.Lock()  # runs are asked for and prepared by several threads
        # With files kept apart only, a filter keeps signals off a run's own supervisor, and could
        # not know of others.
        together = setting.isolation.level != "landlock-files"
        self._turn: contextlib.AbstractContextManager[object] = (
            contextlib.nullcontext() if together else threading.Lock()
        )
        self._admission = Admission(setting.assignment.limits.memory_bytes)
        self._waiting: queue.PriorityQueue[_Waiting] = queue.PriorityQueue()
        self._numbers = itertools.count()
        self._threads = ThreadPoolExecutor(max_workers=admission.MOST, thread_name_prefix="mpgrade")

    @property
    def practice(self) -> bool:
        """Tell whether this is practice mode: waits and ends of processes cannot be observed."""
        return self.setting.observer == "psutil" or not sys.platform.startswith("linux")

    def run(self, scenario: Scenario) -> tuple[Run, ...]:
        """Run a scenario, or return what it gave before.

        There is one Run for each step, after one for the import.
        """
        share = self.shared.of(scenario)
        if share is not None:
            if runs := share.runs(self.run(share.whole)):
                return runs
            self.shared.leave(scenario)
        with self._entering:
            future = self._runs.get(scenario.key)
            # New, or still waiting for its turn in the background: whoever asks for it now does not
            # wait for others.
            mine = future is None or future.cancel()
            if future is None or mine:
                future = self._runs[scenario.key] = Future()
        if mine:
            future.set_result(self._make_all(scenario))
        return future.result()

    def run_again(self, scenario: Scenario) -> tuple[Run, ...]:
        """Run a scenario once more, whatever it gave before."""
        return self._make(scenario)

    def execute(
        self,
        document: NotebookDocument,
        start_method: str,
        packages: Sequence[str] = (),
        *,
        again: bool = False,
    ) -> Notebook:
        """Execute the notebook under a start method, or return what that gave before."""
        known = self._executed.get(start_method)
        if known is None or again or known.cancel():
            known = self._executed[start_method] = Future()
            known.set_result(self._execute(document, start_method, packages))
        return known.result()

    def prepare_execution(
        self, document: NotebookDocument, start_method: str, packages: Sequence[str] = ()
    ) -> None:
        """Have the notebook executed in the background, unless it has been."""
        if start_method not in self._executed:
            self._executed[start_method] = self._ahead(
                partial(self._execute, document, start_method, packages)
            )

    def _execute(
        self, document: NotebookDocument, start_method: str, packages: Sequence[str]
    ) -> Notebook:
        broken = ""
        for _ in range(TRIES):
            try:
                with self._turn, machine_lock.shared():
                    executed = notebook_run.run_notebook(
                        document, start_method, self.setting, packages
                    )
                    return replace(
                        executed,
                        lack=lacking.lack(
                            executed, self.setting.submission, self.setting.assignment
                        ),
                    )
            except SupervisorError as error:
                broken = str(error)
            if self._closed:
                break
        return notebook_run.broken(start_method, self.setting, broken)

    def executed(self) -> list[Notebook]:
        """Return the notebooks that have been executed, the last of each start method."""
        return [future.result() for future in self._executed.values() if _done(future)]

    def prepare(self, scenario: Scenario, place: int = LATER) -> None:
        """Have a scenario run in the background, unless that has been asked for already.

        Scenarios of a lower *place* begin first.
        """
        share = self.shared.of(scenario)
        whole = scenario if share is None else share.whole
        with self._entering:
            if whole.key not in self._runs and not self._closed:
                self._runs[whole.key] = self._ahead(partial(self._make_all, whole), place)

    def _ahead(self, make: Callable[[], _Made], place: int = 0) -> Future[_Made]:
        """Make something in the background when there is room.

        The future can be cancelled until the making has begun.
        """
        future: Future[_Made] = Future()
        self._waiting.put(_Waiting(place, next(self._numbers), future, make))
        self._threads.submit(self._make_next)
        return future

    def _make_next(self) -> None:
        with self._admission, contextlib.suppress(queue.Empty):
            while not self._closed:
                first = self._waiting.get_nowait()
                if first.future.set_running_or_notify_cancel():
                    try:
                        first.future.set_result(first.make())
                    except BaseException as error:  # raised again where the result is asked for
                        first.future.set_exception(error)
                    return

    def _make_all(self, scenario: Scenario) -> tuple[Run, ...]:
        """Make a run, and in the background those whose place in it proves nothing."""
        runs = self._make(scenario)
        for each in self.shared.unproven(scenario, runs):
            self.shared.leave(each)
            self.prepare(each)
        return runs

    def _make(self, scenario: Scenario) -> tuple[Run, ...]:
        error = SupervisorError("the grading was broken off")
        for _ in range(TRIES):
            if self._closed:
                break
            try:
                return self._tried(scenario)
            except SupervisorError as met:
                error = met
                if isinstance(error, BrokenOffError):
                    break
        theirs = isinstance(error, SupervisorKilledError) and not self._closed
        return broken_runs(scenario, error, Ending.STOPPED if theirs else Ending.BROKEN)

    def _tried(self, scenario: Scenario) -> tuple[Run, ...]:
        """Make a run, and make it again after a failure that may not be the submission's fault.

        That is a hang within a Pool or an executor, which may be a race of the library's own, and a
        process that has crashed.
        """
        with self._turn:
            runs = make_runs(scenario, self.setting)
            for _ in range(FURTHER_TRIES):
                if self._closed or not any(in_its_pool(run) or crashed(run) for run in runs):
                    break
                runs = make_runs(scenario, self.setting)
            return runs

    def done(self) -> Iterator[Run]:
        """Yield all runs that have been made, in the order in which they were asked for."""
        for future in list(self._runs.values()):
            if _done(future):
                yield from future.result()
        yield from self.executed()

    def close(self) -> None:
        """End what still runs."""
        with self._entering:
            self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        supervisor_pool.end_busy()
        self._threads.shutdown(wait=True)


def _done(future: Future[_Made]) -> bool:
    return future.done() and not future.cancelled()


def make_runs(scenario: Scenario, setting: Setting) -> tuple[Run, ...]:
    """Run a scenario; return one Run for each step, also for those that were not reached."""
    with machine_lock.shared():
        return timed_runs(scenario, setting)


def timed_runs(scenario: Scenario, setting: Setting) -> tuple[Run, ...]:
    """Run a scenario like `make_runs`, without a lock on the machine.

    The caller keeps all other runs off this machine itself; see `system/machine_lock.py`.
    """
    runs = complete_runs(module_run.run_module(scenario, setting), scenario)
    return lacking.explained(runs, setting.submission, setting.assignment)
