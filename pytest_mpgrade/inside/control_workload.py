"""The grader's own processes, as a control for a rendezvous.

Before the grader blames a submission for a rendezvous that did not come about, these processes have
to meet at the same gates.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable
from multiprocessing.queues import Queue

_Task = tuple[Callable[..., object], tuple[object, ...]]


def _work(tasks: Queue[_Task | str], results: Queue[object]) -> None:
    while not isinstance(item := tasks.get(), str):
        func, args = item
        results.put(func(*args))


def mp_apply(tasks: Iterable[_Task], n_processes: int = 2) -> list[object]:
    """Apply *tasks* in *n_processes* plain child processes that share two queues."""
    todo: Queue[_Task | str] = multiprocessing.Queue()
    done: Queue[object] = multiprocessing.Queue()
    workers = [multiprocessing.Process(target=_work, args=(todo, done)) for _ in range(n_processes)]
    for worker in workers:
        worker.start()
    items = list(tasks)
    for item in items:
        todo.put(item)
    results = [done.get() for _ in items]
    for _ in workers:
        todo.put("STOP")
    for worker in workers:
        worker.join()
    return results
