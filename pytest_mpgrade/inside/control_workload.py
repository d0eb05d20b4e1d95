"""The grader's own processes, run at the same gates before a submission is blamed for not meeting there."""

from __future__ import annotations

import multiprocessing
from typing import Any


def _work(tasks: Any, results: Any) -> None:
    for func, args in iter(tasks.get, "STOP"):
        results.put(func(*args))


def mp_apply(tasks: Any, n_processes: int = 2) -> list[Any]:
    """Apply *tasks* in *n_processes* plain child processes that share two queues."""
    todo: Any = multiprocessing.Queue()
    done: Any = multiprocessing.Queue()
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
