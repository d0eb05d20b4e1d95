# race: `get_nowait` right after `put` — line 26: the flag is set before the child's feeder thread has written; held there for 0.6 s, get_nowait finds nothing and the result is given up
"""Background tasks; an event says that the result is ready."""

import multiprocessing as mp
import time
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


def _child(ready, input, output):
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))
        ready.set()


def bg_task(task):
    task_queue, done_queue = mp.Queue(), mp.Queue()
    ready = mp.Event()
    p = mp.Process(target=_child, args=(ready, task_queue, done_queue))
    p.ready = ready  # bg_get needs it
    p.start()
    task_queue.put(task)
    return p, task_queue, done_queue


def _fetch(done_queue):
    for _ in range(30):
        try:
            return True, done_queue.get_nowait()
        except Empty:
            time.sleep(0.02)
    return False, None


def bg_get(p, task_queue, done_queue, block=False):
    """The result, or None with a message."""
    alive = p.is_alive()
    while not p.ready.wait(0.05):
        if not alive:
            print("Child process inactive.")
            return None
        if not block:
            print("Task still running.")
            return None
        alive = p.is_alive()
    found, result = _fetch(done_queue)
    task_queue.put("STOP")
    p.join()
    p.ready.clear()
    if not found:
        print("Child process inactive.")
    return result
