# race: silence taken for the end (`get(timeout)`) — line 50: where the caller (or its feeder thread) is held for 2 s before the task is written, the child gives up: Child process inactive
"""Run a task in the background (queue pattern)."""

import multiprocessing as mp
from queue import Empty


def calculate(func, args):
    """Evaluate one task."""
    return func(*args)


def worker(input, output):
    """
    Basic worker: reads tasks from `input`, writes results to `output`,
    returns None as soon as it reads 'STOP'.
    """
    for func, args in iter(input.get, "STOP"):
        result = calculate(func, args)
        output.put(result)


def _child(input, output, patience=2.0):
    try:
        task = input.get(timeout=patience)
    except Empty:
        return  # the parent is gone
    func, args = task
    output.put(calculate(func, args))
    # stay until the parent has fetched the result
    while input.get() != "STOP":
        pass


def bg_task(task):
    """
    Start a task in the background.

    Parameters
    ----------
    task : tuple (func, args)

    Returns
    -------
    (p, task_queue, done_queue) for use with bg_get()
    """
    task_queue = mp.Queue()
    done_queue = mp.Queue()
    p = mp.Process(target=_child, args=(task_queue, done_queue))
    p.start()
    task_queue.put(task)
    return p, task_queue, done_queue


def bg_get(p, task_queue, done_queue, block=False):
    """
    Fetch the result; None while the task is running (unless block=True)
    or if the child has died.
    """
    while True:
        active = p.is_alive()
        try:
            result = done_queue.get(timeout=0.05)
            break
        except Empty:
            pass
        if not active:
            print("Child process inactive.")
            return None
        if not block:
            print("Task still running.")
            return None
    task_queue.put("STOP")
    p.join()
    return result
