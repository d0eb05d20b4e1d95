"""A thread of the parent reads the result as it comes, so that bg_get never waits for half of one."""

import multiprocessing as mp
import pickle
import queue
import threading


def calculate(func, args):
    """Return func(*args)."""
    return func(*args)


def worker(input, output):
    """Compute tasks from `input` until 'STOP', put the results on `output`."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


class Outbox:
    """Pickles and sends what is put."""

    def __init__(self, conn):
        self.conn = conn

    def put(self, result):
        """Send a result through the pipe."""
        self.conn.send_bytes(pickle.dumps(result))


def read(conn, done_queue):
    """Thread: put the bytes of the result on a queue, or None when the child has died."""
    try:
        done_queue.put(conn.recv_bytes())
    except (EOFError, OSError):
        done_queue.put(None)
    conn.close()


def bg_task(task):
    """Start a task in the background; returns (p, task_queue, done_queue)."""
    task_queue = mp.SimpleQueue()
    done_queue = queue.Queue()
    here, there = mp.Pipe(duplex=False)
    p = mp.Process(target=worker, args=(task_queue, Outbox(there)))
    p.start()
    there.close()
    threading.Thread(target=read, args=(here, done_queue), daemon=True).start()
    task_queue.put(task)
    return p, task_queue, done_queue


def bg_get(p, task_queue, done_queue, block=False):
    """Return the result, or None with a message."""
    try:
        answer = done_queue.get(block)
    except queue.Empty:
        print("Task still running." if p.is_alive() else "Child process inactive.")
        return None
    if answer is None:
        print("Child process inactive.")
        p.join()
        done_queue.put(None)  # for whoever asks again
        return None
    task_queue.put("STOP")
    p.join()
    return pickle.loads(answer)
