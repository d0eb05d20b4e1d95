"""Computes the task in a thread of the calling process; the child only waits for the sentinel."""

import multiprocessing as mp
import pickle
import threading


def calculate(func, args):
    """Return func(*args)."""
    return func(*args)


def worker(input, output):
    """Compute tasks from `input` until 'STOP', put the results on `output`."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def wait_for_sentinel(task_queue):
    """Process: nothing to do but to end."""
    while task_queue.get() != "STOP":
        pass


def run_in_background(task, task_queue, conn):
    """Thread: send the result, or end the child and close the pipe when there is none."""
    try:
        conn.send(calculate(*task))
    except BaseException as err:
        print("task failed:", type(err).__name__, err)
        task_queue.put("STOP")
    conn.close()


def bg_task(task):
    """Start a task in the background; returns (p, task_queue, done_queue)."""
    task_queue = mp.SimpleQueue()
    done_queue, conn = mp.Pipe(duplex=False)
    p = mp.Process(target=wait_for_sentinel, args=(task_queue,))
    p.start()
    threading.Thread(target=run_in_background, args=(task, task_queue, conn)).start()
    return p, task_queue, done_queue


def bg_get(p, task_queue, done_queue, block=False):
    """Return the result of a background task, or None with a message why there is none."""
    try:
        if not done_queue.poll(None if block else 0):
            print("Task still running.")
            return None
        answer = done_queue.recv_bytes()
    except (EOFError, OSError):
        p.join()
        print("Child process inactive.")
        return None
    task_queue.put("STOP")
    p.join()
    done_queue.close()
    return pickle.loads(answer)
