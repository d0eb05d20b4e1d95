"""A queue for the task, a pipe for its result, and worker() as it is asked for."""

import multiprocessing as mp
import pickle
from multiprocessing.connection import wait


def calculate(func, args):
    """Return func(*args)."""
    return func(*args)


def worker(input, output):
    """Compute tasks from `input` until 'STOP', put the results on `output`."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


class Mailbox:
    """The end of a pipe to write to, with a put() like a queue."""

    def __init__(self, conn):
        self.conn = conn

    def put(self, result):
        self.conn.send_bytes(pickle.dumps(result))


def bg_task(task):
    """Run a task in a child process without blocking; returns its three handles."""
    task_queue = mp.Queue()
    done_queue, conn = mp.Pipe(duplex=False)
    p = mp.Process(target=worker, args=(task_queue, Mailbox(conn)))
    p.start()
    conn.close()
    task_queue.put(task)
    return (p, task_queue, done_queue)


def bg_get(p, task_queue, done_queue, block=False):
    """Get the result of a task if it is there (or wait for it), and end the child."""
    if block and not done_queue.closed:
        wait([done_queue])
    try:
        ready = done_queue.poll()
        data = done_queue.recv_bytes() if ready else None
    except (EOFError, OSError):
        print("Child process inactive.")
        p.join()
        return None
    if not ready:
        print("Task still running.")
        return None

    # stop the child process
    task_queue.put("STOP")
    p.join()
    task_queue.close()
    task_queue.join_thread()
    done_queue.close()
    return pickle.loads(data)
