# race: `Condition` with `if` (asked outside the lock) — line 43: where the caller is held between `if` and wait(), the only notify is missed and bg_get(block=True) waits for ever
"""Background tasks with a condition variable instead of polling."""

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


def _child(done, cond, input, output):
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))
        with cond:
            done.value = 1
            cond.notify_all()


def bg_task(task):
    task_queue, done_queue = mp.Queue(), mp.Queue()
    cond = mp.Condition()
    done = mp.Value("b", 0, lock=False)
    p = mp.Process(target=_child, args=(done, cond, task_queue, done_queue))
    p.done, p.cond = done, cond
    p.start()
    task_queue.put(task)
    return p, task_queue, done_queue


def _wait(p):
    """Wait for the notification; False if the child dies before."""
    with p.cond:
        while not p.cond.wait(0.5):
            if not p.is_alive():
                return bool(p.done.value)
    return True


def bg_get(p, task_queue, done_queue, block=False):
    """Result of the task, or None."""
    if not p.done.value:
        if block:
            finished = _wait(p)
        elif p.is_alive():
            print("Task still running.")
            return None
        else:
            finished = bool(p.done.value)
        if not finished:
            print("Child process inactive.")
            return None
    try:
        # done is set after put(): the result is there or on its way
        result = done_queue.get(timeout=None if p.is_alive() else 0.1)
    except Empty:
        print("Child process inactive.")
        return None
    task_queue.put("STOP")
    p.join()
    return result
