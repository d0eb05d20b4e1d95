"""A pipe to each worker, for tasks and for results; the parent gives the next task to who has answered."""

import multiprocessing as mp
import pickle
from itertools import islice
from multiprocessing.connection import wait


def calculate(func, args):
    """Return func(*args)."""
    return func(*args)


def worker(input, output):
    """Compute tasks from `input` until 'STOP', put the results on `output`."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def serve(conn):
    """Answer each task that comes through a pipe, until 'STOP'."""
    for func, args in iter(conn.recv, "STOP"):
        try:
            answer = pickle.dumps((True, calculate(func, args)))
        except BaseException as err:
            answer = pickle.dumps((False, f"{type(err).__name__}: {err}"))
        conn.send_bytes(answer)


def receive(conn):
    """Return the next result of a worker; raise if its task has raised, or it has died."""
    try:
        answer = conn.recv_bytes()
    except (EOFError, OSError):
        raise RuntimeError("a worker died") from None
    ok, value = pickle.loads(answer)
    if not ok:
        raise RuntimeError(value)
    return value


def start(workers, n):
    """Start n workers; `workers` maps our end of each pipe to its Process."""
    for _ in range(n):
        conn, far_end = mp.Pipe()
        p = mp.Process(target=serve, args=(far_end,))
        p.start()
        far_end.close()
        workers[conn] = p


def stop(workers, patience=None):
    """Send each worker the sentinel and wait for it; after an error only so long, then by force."""
    for conn in workers:
        try:
            conn.send("STOP")
        except OSError:
            pass  # it has died
    running = list(workers)
    while running:
        ready = wait(running, patience)
        if not ready:
            break
        for conn in ready:
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


def mp_apply(tasks, n_processes=2):
    """Compute tasks in parallel; returns the unordered results."""
    todo = iter(tasks)
    first = list(islice(todo, n_processes))
    results = []
    workers = {}
    try:
        start(workers, len(first))
        busy = set()
        for conn, task in zip(workers, first):
            conn.send(task)
            busy.add(conn)
        while busy:
            for conn in wait(list(busy)):
                results.append(receive(conn))
                busy.discard(conn)
                for task in islice(todo, 1):
                    conn.send(task)
                    busy.add(conn)
    except BaseException:
        stop(workers, 2)
        raise
    stop(workers)
    return results
