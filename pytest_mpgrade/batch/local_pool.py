"""Several gradings at a time on this machine: a thread waits for each, and the grading is a process
of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from pytest_mpgrade.batch.job import Job
from pytest_mpgrade.grade.grading import Grading
from pytest_mpgrade.grade.pytest_run import Stop
from pytest_mpgrade.system import machine_lock
from pytest_mpgrade.system.machine import usable_cores

GRADINGS_PER_CORE = 2
"""A grading mostly waits: for interpreters to start, at gates, for a tree to be quiet."""


def slots() -> int:
    """Return how many gradings at a time this machine is good for."""
    return GRADINGS_PER_CORE * usable_cores() + 1


@dataclass(frozen=True)
class SideBySide:
    """Runs as many jobs at a time as there are *slots*; *stop* ends those that run when the caller
    is interrupted.
    """

    slots: int
    stop: Stop

    def __call__(self, jobs: Sequence[Job], grade: Callable[[Job], Grading]) -> Iterator[Grading]:
        """Yield each grading as it is done. No more are begun than there are slots."""
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
        """Grade, but do not begin beside a timing: to start a grading is a second of computing."""
        with machine_lock.shared(self.stop.is_set):
            pass
        return grade(job)

    def _end(self, running: set[Future[Grading]]) -> None:
        """Let gradings end by themselves; a second interrupt ends them at once."""
        self.stop.set()
        try:
            wait(running)
        except KeyboardInterrupt:
            self.stop.set()
            wait(running)
            raise
