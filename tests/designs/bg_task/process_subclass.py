"""The child is an object of a subclass of Process, started from the module's own context."""

import multiprocessing
import pickle
from multiprocessing.connection import wait


def calculate(func, args):
    """Return func(*args)."""
    return func(*args)


def worker(input, output):
    """Compute tasks from `input` until 'STOP', put the results on `output`."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


class BackgroundTask(multiprocessing.Process):
    """Computes one task, answers on a pipe, and waits for the sentinel."""

    def __init__(self, task, task_queue, conn):
        super().__init__(name="background")
        self.task = task
        self.task_queue = task_queue
        self.conn = conn

    def run(self):
        self.conn.send_bytes(pickle.dumps(calculate(*self.task)))
        self.conn.close()
        while self.task_queue.get() != "STOP":
            pass


def bg_task(task):
    """Start a task in the background; returns (p, task_queue, done_queue)."""
    task_queue = multiprocessing.Queue()
    here, there = multiprocessing.Pipe(duplex=False)
    p = BackgroundTask(task, task_queue, there)
    p.start()
    there.close()
    return p, task_queue, here


def bg_get(p, task_queue, done_queue, block=False):
    """Return the result, or None if there is none (yet)."""
    if done_queue.closed:
        print("Child process inactive.")
        return None
    ready = wait([done_queue], timeout=None if block else 0)
    if not ready:
        print("Task still running.")
        return None
    try:
        answer = done_queue.recv_bytes()
    except (EOFError, OSError):
        answer = None
        print("Child process inactive.")
    else:
        task_queue.put("STOP")
    p.join()
    done_queue.close()
    task_queue.close()
    task_queue.join_thread()
    return None if answer is None else pickle.loads(answer)
