"""A manager of its own for the queues of each task, shut down with it."""

import multiprocessing as mp
import queue


def calculate(func, args):
    """Return func(*args)."""
    return func(*args)


def worker(input, output):
    """Compute tasks from `input` until 'STOP', put the results on `output`."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


class ManagedQueue:
    """A queue of a manager that is shut down by whoever started it; only the queue is pickled."""

    def __init__(self, items, manager=None):
        self.items, self.manager = items, manager

    def __reduce__(self):
        return ManagedQueue, (self.items,)

    def put(self, item):
        """Put an item on the queue."""
        self.items.put(item)

    def get(self, timeout=None):
        """Take an item off the queue."""
        return self.items.get(timeout=timeout)


def bg_task(task):
    """Start a task in the background; returns the handles for bg_get()."""
    manager = mp.Manager()
    task_queue, done_queue = (ManagedQueue(manager.Queue(), manager) for _ in range(2))
    p = mp.Process(target=worker, args=(task_queue, done_queue))
    p.start()
    task_queue.put(task)
    return p, task_queue, done_queue


def bg_get(p, task_queue, done_queue, block=False):
    """Return the result of the task, or None and say why."""
    while True:
        dead = not p.is_alive()
        try:
            result = done_queue.get(timeout=0.05)
        except queue.Empty:
            if dead:
                print("Child process inactive.")
                return None
            if not block:
                print("Task still running.")
                return None
        else:
            break
    task_queue.put("STOP")
    p.join()
    task_queue.manager.shutdown()
    return result
