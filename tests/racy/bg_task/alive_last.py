# race: `is_alive()` asked after the last `get` — line 39: where the caller is held between Empty and is_alive(), the child delivers and exits, and is called inactive although its result is there
"""Background tasks: one child for one task."""

import multiprocessing as mp
from queue import Empty


def calculate(func, args):
    """Apply func to the positional arguments args."""
    return func(*args)


def worker(input, output):
    """Handle tasks from input until the sentinel 'STOP' comes."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def _one_task(input, output):
    """Do the one task and go home (the sentinel finds nobody, which is fine)."""
    func, args = input.get()
    output.put(calculate(func, args))


def bg_task(task):
    """Start task = (func, args) in a child process; returns at once."""
    task_queue, done_queue = mp.Queue(), mp.Queue()
    p = mp.Process(target=_one_task, args=(task_queue, done_queue))
    p.start()
    task_queue.put(task)
    return p, task_queue, done_queue


def bg_get(p, task_queue, done_queue, block=False):
    """Result of a background task, or None if there is none (yet)."""
    while True:
        try:
            result = done_queue.get(timeout=0.05)
        except Empty:
            if not p.is_alive():
                p.join()
                print("Child process inactive.")
                return None
            if not block:
                print("Task still running.")
                return None
        else:
            task_queue.put("STOP")
            p.join()
            return result
