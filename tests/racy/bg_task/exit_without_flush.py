# race: a feeder thread cut off by `os._exit` — line 28: where the child's feeder thread is held for 0.5 s before it writes, os._exit throws the result away
"""Background task in a one-shot child."""

import multiprocessing as mp
import os
import time
from queue import Empty


def calculate(func, args):
    """Apply func to the positional arguments args."""
    return func(*args)


def worker(input, output):
    """Handle tasks from input until the sentinel 'STOP' comes."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def _run(input, output):
    func, args = input.get()
    try:
        result = calculate(func, args)
    except BaseException:
        os._exit(1)
    output.put(result)
    _wait_until_read(output)
    os._exit(0)


def _wait_until_read(output):
    """Leave when the result is written and the parent has fetched it."""
    quiet = 0
    while quiet < 5:
        time.sleep(0.1)
        quiet = quiet + 1 if output.empty() else 0


def bg_task(task):
    """Start task = (func, args) in a child process; returns at once.

    The child leaves by os._exit: handlers inherited by fork must not run.
    """
    task_queue, done_queue = mp.Queue(), mp.Queue()
    p = mp.Process(target=_run, args=(task_queue, done_queue))
    p.start()
    task_queue.put(task)
    return p, task_queue, done_queue


def bg_get(p, task_queue, done_queue, block=False):
    while True:
        alive = p.is_alive()
        try:
            result = done_queue.get(timeout=0.05)
        except Empty:
            if not alive:
                print("Child process inactive.")
                return None
            if not block:
                print("Task still running.")
                return None
        else:
            task_queue.put("STOP")
            p.join()
            return result
