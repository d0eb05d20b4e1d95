"""Right, but with each task goes what takes half as long again as a timed one."""

import multiprocessing as mp
import time
from multiprocessing.connection import wait
from pickle import dumps, loads


def calculate(func, args):
    """Return func(*args)."""
    return func(*args)


def worker(input, output):
    """Compute tasks from `input` until 'STOP', put the results on `output`."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def half_again(func, args):
    """Compute a task, and do with each what takes about half as long again as a timed one: wait, and compute."""
    value = calculate(func, args)
    end = time.thread_time() + 0.007
    while time.thread_time() < end:
        pass
    time.sleep(0.013)
    return value


def serve(conn):
    """Answer each task that comes through a pipe, until 'STOP'."""
    for func, args in iter(conn.recv, "STOP"):
        conn.send_bytes(dumps(half_again(func, args)))


def mp_apply(tasks, n_processes=2):
    """Compute tasks in parallel; returns the unordered results."""
    tasks = list(tasks)
    workers = {}
    for _ in range(n_processes):
        conn, far_end = mp.Pipe()
        workers[conn] = mp.Process(target=serve, args=(far_end,))
        workers[conn].start()
        far_end.close()
    results = []
    busy = set()
    for conn in workers:
        if tasks:
            conn.send(tasks.pop(0))
            busy.add(conn)
    while busy:
        for conn in wait(list(busy)):
            results.append(loads(conn.recv_bytes()))
            if tasks:
                conn.send(tasks.pop(0))
            else:
                busy.discard(conn)
    for conn, p in workers.items():
        conn.send("STOP")
        p.join()
        conn.close()
    return results
