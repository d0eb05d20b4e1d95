"""The child has its task from the start, and its queue is for the sentinel only."""

import multiprocessing as mp
import pickle


def calculate(func, args):
    """Return func(*args)."""
    return func(*args)


def worker(input, output):
    """Compute tasks from `input` until 'STOP', put the results on `output`."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def run_in_background(task, task_queue, conn):
    """Process: send the result, then wait for the sentinel."""
    conn.send(calculate(*task))
    while task_queue.get() != "STOP":
        pass


def bg_task(task):
    """Start a task in a child process; returns (p, task_queue, done_queue)."""
    task_queue = mp.SimpleQueue()
    done_queue, conn = mp.Pipe(duplex=False)
    p = mp.Process(target=run_in_background, args=(task, task_queue, conn))
    p.start()
    conn.close()  # the child has its own
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
