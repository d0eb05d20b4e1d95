"""Run several gradings at a time on this machine.

Each grading is a process of its own, and a thread waits for it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue

from pytest_mpgrade.batch.job import Job
from pytest_mpgrade.batch.signals_as_events import next_event, signals_as_events
from pytest_mpgrade.grade.grading import Grading
from pytest_mpgrade.grade.pytest_run import Stop
from pytest_mpgrade.system import machine_lock
from pytest_mpgrade.system.quotas import usable_cores

GRADINGS_PER_CORE = 2
"""A grading mostly waits: for interpreters to start, for gates, for a quiescent process tree."""


def slots() -> int:
    """Return how many gradings to run at a time on this machine."""
    return GRADINGS_PER_CORE * usable_cores() + 1


@dataclass(frozen=True)
class SideBySide:
    """Runs up to *slots* jobs at a time; when the caller is interrupted, *stop* ends them."""

    slots: int
    stop: Stop

    def __call__(self, jobs: Sequence[Job], grade: Callable[[Job], Grading]) -> Iterator[Grading]:
        """Yield each grading when it is done; a job begins only when a slot is free.

        When a signal comes that ends the command, what runs is told to end, at a second one at
        once. The signal's own handler is called when all have ended.
        """
        events: SimpleQueue[Future[Grading] | int] = SimpleQueue()
        todo = iter(jobs)
        number = 0
        with (
            signals_as_events(events) as handlers,
            ThreadPoolExecutor(self.slots, thread_name_prefix="grading") as threads,
        ):
            running = 0
            try:
                while not number:
                    for job in itertools.islice(todo, self.slots - running):
                        running += 1
                        threads.submit(self._begin, grade, job).add_done_callback(events.put)
                    if not running:
                        return
                    event = next_event(events)
                    if isinstance(event, Future):
                        running -= 1
                        yield event.result()
                    else:
                        number = event
            finally:
                if running:
                    self._end(running, events)
        handlers[number](number, None)

    def _begin(self, grade: Callable[[Job], Grading], job: Job) -> Grading:
        """Wait while another grading is timed, then grade.

        To start a grading takes a second of CPU time.
        """
        with machine_lock.shared(self.stop.is_set):
            pass
        return grade(job)

    def _end(self, running: int, events: SimpleQueue[Future[Grading] | int]) -> None:
        """Let running gradings end by themselves; a second signal ends them at once."""
        self.stop.set()
        while running:
            if isinstance(next_event(events), Future):
                running -= 1
            else:
                self.stop.set()
