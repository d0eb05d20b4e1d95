"""A right submission, start methods and observers for tests of runs, and how a run is read."""

from __future__ import annotations

import pytest

from pytest_mpgrade.inside import plain_data
from pytest_mpgrade.records import Ending, Run

METHODS = pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])


OBSERVERS = pytest.mark.parametrize("observer", ["auto", "proc", "psutil"])


PROC = pytest.mark.parametrize("observer", ["auto", "proc"])


RIGHT = """
    import multiprocessing as mp

    def work(todo, done):
        for func, args in iter(todo.get, "STOP"):
            done.put(func(*args))

    def mp_apply(tasks, n_processes=2):
        tasks = list(tasks)
        todo, done = mp.Queue(), mp.Queue()
        workers = [mp.Process(target=work, args=(todo, done)) for _ in range(n_processes)]
        for each in workers:
            each.start()
        for task in tasks:
            todo.put(task)
        results = [done.get() for _ in tasks]
        for each in workers:
            todo.put("STOP")
        for each in workers:
            each.join()
            each.close()
        for queue in (todo, done):
            queue.close()
            queue.join_thread()
        return results
"""


def encoded(value: object) -> object:
    """Return what a run tells of a value."""
    return plain_data.encode(value)


def values(run: Run) -> list[object]:
    """Return the items of a list that a call returned, encoded, in sorted order."""
    assert run.ending is Ending.RETURNED, (run.ending, run.why, run.error, run.stderr)
    assert run.encoded[0] == "list"
    return sorted(run.encoded[1], key=repr)


def sentence(run: Run, role: str) -> str:
    """Return what one process of a tree that hangs is said to wait for."""
    (found,) = [stuck.sentence for stuck in run.trace.stuck if stuck.name == role]
    return found
