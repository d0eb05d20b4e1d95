"""Right, but each task takes half as long again: what goes with it is checked and copied far too often."""

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
    """Compute a task, and be as busy, or as idle, as it was for half of its time."""
    began, computed = time.perf_counter(), time.thread_time()
    value = calculate(func, args)
    took, computed = time.perf_counter() - began, time.thread_time() - computed
    end = time.thread_time() + computed / 2
    while time.thread_time() < end:
        pass
    time.sleep(max(0.0, (took - computed) / 2))
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
