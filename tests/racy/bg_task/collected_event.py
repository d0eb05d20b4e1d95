# race: `Event` cleared after the other side has set it — line 22: where the child is held after put() and before clear(), the caller has already set the event; the child waits for ever, and so does join()
"""bg_task/bg_get: the child waits until its result has been collected."""

import multiprocessing as mp
from queue import Empty


def calculate(func, args):
    """Apply func to the positional arguments args."""
    return func(*args)


def worker(input, output):
    """Handle tasks from input until the sentinel 'STOP' comes."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def _child(collected, input, output):
    for func, args in iter(input.get, "STOP"):
        result = calculate(func, args)
        output.put(result)
        collected.clear()
        collected.wait()


def bg_task(task):
    """Run task in the background."""
    task_queue = mp.Queue()
    done_queue = mp.Queue()
    collected = mp.Event()
    p = mp.Process(target=_child, args=(collected, task_queue, done_queue))
    p.collected = collected
    p.start()
    task_queue.put(task)
    return p, task_queue, done_queue


def bg_get(p, task_queue, done_queue, block=False):
    """
    Get the result of a background task.

    block: wait for it. Otherwise None is returned if it is not done.
    """
    while True:
        was_alive = p.is_alive()
        try:
            result = done_queue.get(timeout=0.05)
            break
        except Empty:
            if not was_alive:
                print("Child process inactive.")
                return None
            if not block:
                print("Task still running.")
                return None
    p.collected.set()
    task_queue.put("STOP")
    p.join()
    return result
