"""Numbers the tasks and returns the results in the order of submission."""

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


def numbered_worker(conn):
    """Take (number, func, args), answer (number, result, None) or (number, None, message)."""
    for number, func, args in iter(conn.recv, "STOP"):
        try:
            answer = pickle.dumps((number, calculate(func, args), None))
        except BaseException as err:
            answer = pickle.dumps((number, None, f"{type(err).__name__}: {err}"))
        conn.send_bytes(answer)


def hire(n):
    """Start n workers."""
    conns, processes = [], []
    for _ in range(n):
        conn, far_end = mp.Pipe()
        p = mp.Process(target=numbered_worker, args=(far_end,))
        p.start()
        far_end.close()
        conns.append(conn)
        processes.append(p)
    return conns, processes


def dismiss(conns, processes, patience):
    """Sentinel and join for each."""
    for conn in conns:
        try:
            conn.send("STOP")
        except OSError:
            pass
    for conn, p in zip(conns, processes):
        try:
            while conn.poll(patience):
                conn.recv_bytes()
            p.terminate()
        except (EOFError, OSError):
            pass
        p.join()
        p.close()
        conn.close()


def mp_apply(tasks, n_processes=2):
    """Compute tasks in parallel; returns the results in the order of the tasks."""
    todo = [(number, func, args) for number, (func, args) in enumerate(tasks)]
    results = [None] * len(todo)
    conns, processes = hire(min(n_processes, len(todo)))
    patience = 2
    try:
        busy = set()
        for conn in conns:
            conn.send(todo.pop(0))
            busy.add(conn)
        while busy:
            for conn in wait(list(busy)):
                try:
                    number, result, message = pickle.loads(conn.recv_bytes())
                except (EOFError, OSError):
                    raise RuntimeError("a worker died") from None
                if message is not None:
                    raise RuntimeError(f"task {number}: {message}")
                results[number] = result
                if todo:
                    conn.send(todo.pop(0))
                else:
                    busy.remove(conn)
        patience = None
    finally:
        dismiss(conns, processes, patience)
    return results
