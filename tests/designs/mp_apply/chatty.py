"""Right, but prints two megabytes, in the parent and in the workers."""

import multiprocessing as mp
import pickle
import sys
import time
from itertools import islice
from multiprocessing.connection import wait

LINE = "*" * 1023 + "\n"
TOLD = []


def say(kilobytes, stream=sys.stdout):
    """Print a lot."""
    for _ in range(kilobytes):
        stream.write(LINE)


def calculate(func, args):
    """Return func(*args)."""
    return func(*args)


def worker(input, output):
    """Compute tasks from `input` until 'STOP', put the results on `output`."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def run_worker(task_queue, conn):
    """Answer tasks from the queue on a pipe."""
    say(128)
    for func, args in iter(task_queue.get, "STOP"):
        if len(TOLD) < 20:
            TOLD.append(func)
            print("worker", mp.current_process().pid, "calculates", func.__name__)
        try:
            answer = pickle.dumps((True, calculate(func, args)))
        except BaseException as err:
            answer = pickle.dumps((False, f"{type(err).__name__}: {err}"))
        conn.send_bytes(answer)
    say(128, sys.stderr)


def mp_apply(tasks, n_processes=2):
    """Compute tasks in parallel; returns the unordered results."""
    say(1024)
    tasks = iter(tasks)
    first = list(islice(tasks, n_processes))
    task_queue = mp.SimpleQueue()
    workers = {}
    for _ in first:
        here, there = mp.Pipe(duplex=False)
        p = mp.Process(target=run_worker, args=(task_queue, there))
        p.start()
        there.close()
        workers[here] = p
    for task in first:
        task_queue.put(task)

    results = []
    error = None
    pending = len(first)
    while pending and error is None:
        for conn in wait(list(workers)):
            try:
                ok, value = pickle.loads(conn.recv_bytes())
            except (EOFError, OSError):
                error = "a worker died"
                break
            if not ok:
                error = value
                break
            results.append(value)
            pending -= 1
            for task in islice(tasks, 1):
                task_queue.put(task)
                pending += 1

    say(1024)
    for _ in workers:
        task_queue.put("STOP")
    end = time.monotonic() + 3
    running = list(workers)
    while running and (error is None or time.monotonic() < end):
        for conn in wait(running, None if error is None else 0.1):
            try:
                conn.recv_bytes()
            except (EOFError, OSError):
                running.remove(conn)
    for conn, p in workers.items():
        if conn in running:
            p.kill()
        p.join()
        p.close()
        conn.close()
    task_queue.close()
    if error is not None:
        raise RuntimeError(error)
    return results
