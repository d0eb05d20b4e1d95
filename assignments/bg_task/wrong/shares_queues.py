"""All tasks share one pair of queues: results and sentinels reach the wrong one."""

import multiprocessing as mp
from queue import Empty

QUEUES = []


def calculate(func, args):
    """Return func(*args)."""
    return func(*args)


def worker(input, output):
    """Compute tasks from `input` until 'STOP', put the results on `output`."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def bg_task(task):
    """Start a task in a child process; returns (p, task_queue, done_queue)."""
    # wrong: only the first task gets queues, and all others the same
    if not QUEUES:
        QUEUES.extend([mp.Queue(), mp.Queue()])
    task_queue, done_queue = QUEUES
    p = mp.Process(target=worker, args=(task_queue, done_queue))
    p.start()
    task_queue.put(task)
    return p, task_queue, done_queue


def bg_get(p, task_queue, done_queue, block=False):
    """Return the result of a background task, or None with a message why there is none."""
    while True:
        alive = p.is_alive()
        try:
            result = done_queue.get(timeout=0.05)
        except Empty:
            if alive and block:
                continue
            print("Task still running." if alive else "Child process inactive.")
            return None
        task_queue.put("STOP")
        p.join()
        return result
