"""Run several gradings at a time on this machine.

Each grading is a process of its own, and a thread waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from pytest_mpgrade.batch.job import Job
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
        """Yield each grading when it is done; a job begins only when a slot is free."""
        todo = iter(jobs)
        with ThreadPoolExecutor(self.slots, thread_name_prefix="grading") as threads:
            running: set[Future[Grading]] = set()
            try:
                while True:
                    for job in todo:
                        running.add(threads.submit(self._begin, grade, job))
                        if len(running) >= self.slots:
                            break
                    if not running:
                        return
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        yield future.result()
            except BaseException:
                self._end(running)
                raise

    def _begin(self, grade: Callable[[Job], Grading], job: Job) -> Grading:
        """Wait while another grading is timed, then grade.

        To start a grading takes a second of CPU time.
        """
        with machine_lock.shared(self.stop.is_set):
            pass
        return grade(job)

    def _end(self, running: set[Future[Grading]]) -> None:
        """Let running gradings end by themselves; a second interrupt ends them at once."""
        self.stop.set()
        try:
            wait(running)
        except KeyboardInterrupt:
            self.stop.set()
            wait(running)
            raise
