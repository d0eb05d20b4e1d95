# race: a second `bg_get` between result and exit — line 24: where the child is held for 4 s after its result, the first bg_get drops the result and says still running, the second finds an empty queue
"""bg_task / bg_get with a clean end of the child."""

import multiprocessing as mp
from queue import Empty


def calculate(func, args):
    result = func(*args)
    return result


def worker(input, output):
    while True:
        task = input.get()
        if task == "STOP":
            break
        func, args = task
        output.put(calculate(func, args))


def _serve(input, output):
    """Child: tasks until 'STOP'."""
    worker(input, output)
    output.close()
    output.join_thread()


def bg_task(task):
    """Start task = (func, args) in a child process; returns at once."""
    task_queue, done_queue = mp.Queue(), mp.Queue()
    p = mp.Process(target=_serve, args=(task_queue, done_queue))
    p.start()
    task_queue.put(task)
    return p, task_queue, done_queue


def _ended(p):
    """Give the child some time to leave."""
    p.join(timeout=4)
    return not p.is_alive()


def bg_get(p, task_queue, done_queue, block=False):
    while True:
        alive = p.is_alive()
        try:
            result = done_queue.get(timeout=0.05)
        except Empty:
            if not alive:
                print("Child process inactive.")
                return None
        else:
            task_queue.put("STOP")
            if _ended(p):
                return result
            # child not finished: the caller has to ask again
        if not block:
            print("Task still running.")
            return None
