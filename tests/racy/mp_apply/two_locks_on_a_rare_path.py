"""Race: two locks are taken in different orders, where a worker has its first result."""

import multiprocessing as mp
import time
from queue import Empty


def calculate(func, args):
    """Evaluate one task."""
    return func(*args)


def worker(input, output):
    """
    Basic worker: reads tasks from `input`, writes results to `output`,
    returns None as soon as it reads 'STOP'.
    """
    for func, args in iter(input.get, "STOP"):
        result = calculate(func, args)
        output.put(result)


def _answer(func, args):
    """(True, value), or (False, text of the exception)."""
    try:
        return True, calculate(func, args)
    except Exception as err:
        return False, f"{type(err).__name__}: {err}"


def _work(number, stop, input, conn, out_lock, counts, stats_lock):
    first = True
    for func, args in iter(input.get, "STOP"):
        if stop.is_set():
            continue
        ok, value = _answer(func, args)
        if first:
            # the first result registers the worker as well
            with stats_lock:
                counts[number] = 1
                with out_lock:
                    conn.send((ok, value))
            first = False
        else:
            with out_lock:
                conn.send((ok, value))
    time.sleep(0.05)  # let the others write first
    with out_lock:
        with stats_lock:
            counts[number] += 1
            conn.send(("bye", sum(counts)))
    conn.close()


def _stop_after_error(procs, stop, reader):
    stop.set()
    limit = time.monotonic() + 6
    while any(p.is_alive() for p in procs):
        try:
            if reader.poll(0.05):
                reader.recv()
        except (EOFError, OSError):
            time.sleep(0.05)
        if time.monotonic() > limit:
            for p in procs:
                p.terminate()


def mp_apply(tasks, n_processes=2):
    """Results of all tasks, in order of arrival."""
    tasks = list(tasks)
    if not tasks:
        return []
    n = min(n_processes, len(tasks))
    task_queue, stop = mp.Queue(), mp.Event()
    out_lock, stats_lock = mp.Lock(), mp.Lock()
    counts = mp.Array("i", n, lock=False)
    reader, writer = mp.Pipe(duplex=False)
    procs = [
        mp.Process(target=_work, args=(k, stop, task_queue, writer, out_lock, counts, stats_lock))
        for k in range(n)
    ]
    for p in procs:
        p.start()
    writer.close()
    for task in tasks:
        task_queue.put(task)
    for _ in procs:
        task_queue.put("STOP")

    results, error, byes = [], None, 0
    while byes < n and error is None:
        if not reader.poll(0.1):
            if any(p.exitcode not in (None, 0) for p in procs):
                error = "a worker died"
            continue
        try:
            kind, value = reader.recv()
        except EOFError:
            error = "all workers are gone"
            break
        if kind == "bye":
            byes += 1
        elif kind:
            results.append(value)
        else:
            error = value

    if error is not None:
        _stop_after_error(procs, stop, reader)
        try:
            while True:
                task_queue.get(timeout=0.1)
        except Empty:
            pass
    for p in procs:
        p.join()
        p.close()
    reader.close()
    task_queue.close()
    task_queue.join_thread()
    if error is not None:
        raise RuntimeError(error)
    return results
