"""Every worker has the list of all tasks; a shared counter says which one is next."""

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


def work_through(tasks, counter, conn):
    """Take the next task, as long as there is one."""
    while True:
        with counter.get_lock():
            i = counter.value
            counter.value = i + 1
        if i >= len(tasks):
            return
        try:
            answer = pickle.dumps((True, calculate(*tasks[i])))
        except BaseException as err:
            counter.value = len(tasks)
            answer = pickle.dumps((False, f"{type(err).__name__}: {err}"))
        conn.send_bytes(answer)


def mp_apply(tasks, n_processes=2):
    """Compute tasks in parallel; returns the unordered results."""
    tasks = list(tasks)
    counter = mp.Value("l", 0)
    workers = {}
    for _ in range(min(n_processes, len(tasks))):
        here, there = mp.Pipe(duplex=False)
        p = mp.Process(target=work_through, args=(tasks, counter, there))
        p.start()
        there.close()
        workers[here] = p

    results = []
    errors = []
    open_pipes = list(workers)
    while open_pipes:
        ready = wait(open_pipes, timeout=2 if errors else None)
        if not ready:
            break
        for conn in ready:
            try:
                ok, value = pickle.loads(conn.recv_bytes())
            except (EOFError, OSError):
                open_pipes.remove(conn)
                if counter.value < len(tasks):
                    errors.append("a worker died")
                    counter.value = len(tasks)
                continue
            if ok:
                results.append(value)
            else:
                errors.append(value)
    for conn, p in workers.items():
        if conn in open_pipes:
            p.terminate()
        p.join()
        p.close()
        conn.close()
    if not errors and len(results) < len(tasks):
        errors.append("a worker died")
    if errors:
        raise RuntimeError(errors[0])
    return results
