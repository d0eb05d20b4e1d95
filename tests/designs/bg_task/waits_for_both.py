"""SimpleQueues; waits for the result and for the end of the child together."""

import multiprocessing as mp
from multiprocessing.connection import wait


def calculate(func, args):
    return func(*args)


def worker(input, output):
    for func, args in iter(input.get, "STOP"):
        output.put((calculate(func, args),))


def bg_task(task):
    tq, dq = mp.SimpleQueue(), mp.SimpleQueue()
    p = mp.Process(target=worker, args=(tq, dq))
    p.start()
    tq.put(task)
    return p, tq, dq


def bg_get(p, task_queue, done_queue, block=False):
    ready = wait([done_queue._reader, p.sentinel], timeout=None if block else 0)
    if done_queue._reader in ready:
        (value,) = done_queue.get()
        task_queue.put("STOP")
        p.join()
        return value
    print("Child process inactive." if ready else "Task still running.")
    if ready:
        p.join()
    return None
