"""One pipe for everything: task_queue and done_queue are the same connection. Closes the Process too."""

import multiprocessing as mp
from pickle import dumps, loads

RUNNING = "Task still running."
INACTIVE = "Child process inactive."


def calculate(func, args):
    """Return func(*args)."""
    return func(*args)


def worker(input, output):
    """Compute tasks from `input` until 'STOP', put the results on `output`."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def child(conn):
    """The child process: answers tasks until 'STOP'."""
    for func, args in iter(conn.recv, "STOP"):
        conn.send_bytes(dumps(calculate(func, args)))


def bg_task(task):
    """Start a task in the background; returns three handles, two of them the same."""
    ctx = mp.get_context()
    conn, far_end = ctx.Pipe()
    p = ctx.Process(target=child, args=(far_end,))
    p.start()
    far_end.close()
    conn.send(task)
    return p, conn, conn


def bg_get(p, task_queue, done_queue, block=False):
    """Return the result, if it is there or may be waited for."""
    conn = done_queue
    if conn.closed:
        print(INACTIVE)
        return None
    if not conn.poll(None if block else 0.1):
        print(RUNNING)
        return None
    try:
        answer = conn.recv_bytes()
        task_queue.send("STOP")
    except (EOFError, OSError):
        answer = None
        print(INACTIVE)
    p.join()
    p.close()
    conn.close()
    return answer and loads(answer)
