"""Looks for exit codes other than 0 only, so it waits for ever for a worker that has left with exit code 0."""

import multiprocessing as mp
from multiprocessing.connection import wait


def calculate(func, args):
    return func(*args)


def worker(input, output):
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def run(barrier, tasks, out):
    barrier.wait()
    for func, args in iter(tasks.get, "STOP"):
        try:
            out.put(("ok", calculate(func, args)))
        except Exception as e:
            out.put(("err", f"{type(e).__name__}: {e}"))
            return


def mp_apply(tasks, n_processes=2):
    tasks = list(tasks)
    n = min(len(tasks), n_processes)
    if not n:
        return []
    barrier, todo, out = mp.Barrier(n), mp.SimpleQueue(), mp.SimpleQueue()
    procs = [mp.Process(target=run, args=(barrier, todo, out), name=f"w{i}") for i in range(n)]
    for p in procs:
        p.start()
    import threading

    def feed():
        for t in tasks:
            if stop.is_set():
                break
            todo.put(t)
        for _ in procs:
            todo.put("STOP")

    stop = threading.Event()
    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()
    results, error = [], None
    while len(results) < len(tasks) and error is None:
        ready = wait([out._reader] + [p.sentinel for p in procs])
        if out._reader in ready:
            kind, value = out.get()
            if kind == "ok":
                results.append(value)
            else:
                error = value
        # wrong: 0 is an exit code too
        elif any(p.exitcode for p in procs):
            error = "a worker has died"
    if error is not None:
        stop.set()
        for p in procs:
            p.terminate()
    for p in procs:
        p.join()
    if error is not None:
        raise RuntimeError(error)
    feeder.join()
    for q in (todo, out):
        q.close()
    return results
