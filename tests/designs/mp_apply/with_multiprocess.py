"""Uses the package multiprocess, which pickles with dill, by the start method that is the default."""

import multiprocessing
import time
from itertools import islice

import dill
import multiprocess
from multiprocess.connection import wait


def calculate(func, args):
    """Return func(*args)."""
    return func(*args)


def worker(input, output):
    """Compute tasks from `input` until 'STOP', put the results on `output`."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def serve(task_queue, conn):
    """Take tasks from the common queue, answer on a pipe."""
    for func, args in iter(task_queue.get, "STOP"):
        try:
            answer = dill.dumps((True, calculate(func, args)))
            dill.loads(answer)
        except BaseException as err:
            answer = dill.dumps((False, f"{type(err).__name__}: {err}"))
        conn.send_bytes(answer)


def receive(conn):
    """Return the next result of one worker."""
    try:
        answer = conn.recv_bytes()
    except (EOFError, OSError):
        raise RuntimeError("a worker died") from None
    ok, value = dill.loads(answer)
    if not ok:
        raise RuntimeError(value)
    return value


def mp_apply(tasks, n_processes=2):
    """Compute tasks in parallel; returns the unordered results."""
    mp = multiprocess.get_context(multiprocessing.get_start_method())
    tasks = iter(tasks)
    first = list(islice(tasks, n_processes))
    if not first:
        return []
    task_queue = mp.SimpleQueue()
    workers = {}
    results = []
    grace = 2
    try:
        for _ in first:
            here, there = mp.Pipe(duplex=False)
            p = mp.Process(target=serve, args=(task_queue, there))
            p.start()
            there.close()
            workers[here] = p
        for task in first:
            task_queue.put(task)
        pending = len(first)
        while pending:
            for conn in wait(list(workers)):
                results.append(receive(conn))
                pending -= 1
                for task in islice(tasks, 1):
                    task_queue.put(task)
                    pending += 1
        grace = None
    finally:
        for _ in workers:
            task_queue.put("STOP")
        end = None if grace is None else time.monotonic() + grace
        running = list(workers)
        while running and (end is None or time.monotonic() < end):
            for conn in wait(running, None if end is None else 0.1):
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
    return results
