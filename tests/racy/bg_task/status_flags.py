# race: a shared Value changed without its lock — line 50: where the caller is held between reading and writing the flags, it wipes out the DONE that the child has set meanwhile: still running for ever
"""Background tasks. Child and parent share a byte of status flags."""

import multiprocessing as mp
import time
from queue import Empty

DONE, WANTED = 1, 2


def calculate(func, args):
    """Apply func to the positional arguments args."""
    return func(*args)


def worker(input, output):
    """Handle tasks from input until the sentinel 'STOP' comes."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def _child(flags, input, output):
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))
        flags.value |= DONE


def bg_task(task):
    """Start the task, return the handles for bg_get."""
    task_queue = mp.Queue()
    done_queue = mp.Queue()
    flags = mp.Value("i", 0)
    p = mp.Process(target=_child, args=(flags, task_queue, done_queue))
    p.flags = flags
    p.start()
    task_queue.put(task)
    return p, task_queue, done_queue


def bg_get(p, task_queue, done_queue, block=False):
    """
    Ask for the result.

    Says so and returns None if the task is running or the child is dead.
    """
    while True:
        time.sleep(0.02)
        # note our interest, look at the state of the child
        alive = p.is_alive()
        status = p.flags.value
        p.flags.value = status | WANTED
        if status & DONE:
            break
        if not alive:
            print("Child process inactive.")
            return None
        if not block:
            print("Task still running.")
            return None
    try:
        result = done_queue.get(timeout=None if alive else 0.1)
    except Empty:
        print("Child process inactive.")
        return None
    task_queue.put("STOP")
    p.join()
    return result
