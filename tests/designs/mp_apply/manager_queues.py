"""Queues of a Manager, that is in a process of their own, which is shut down at the end."""

import multiprocessing as mp
import pickle
import time
from itertools import islice
from queue import Empty


def calculate(func, args):
    """Return func(*args)."""
    return func(*args)


def worker(input, output):
    """Compute tasks from `input` until 'STOP', put the results on `output`."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def attempt(func, args):
    """Compute a task in a worker; returns (ok, result or message), pickled."""
    try:
        return pickle.dumps((True, calculate(func, args)))
    except BaseException as err:
        return pickle.dumps((False, f"{type(err).__name__}: {err}"))


def next_result(done_queue, processes):
    """Wait for a result, and look from time to time whether all the workers are alive."""
    while True:
        if not all([p.is_alive() for p in processes]):
            raise RuntimeError(f"worker died: {[p.exitcode for p in processes]}")
        try:
            ok, value = pickle.loads(done_queue.get(timeout=0.25))
        except Empty:
            continue
        if not ok:
            raise RuntimeError(value)
        return value


def end(task_queue, processes, seconds=None):
    """One sentinel per worker; after an error they have so many seconds."""
    for _ in processes:
        task_queue.put("STOP")
    give_up = None if seconds is None else time.monotonic() + seconds
    for p in processes:
        p.join(None if give_up is None else max(0, give_up - time.monotonic()))
        if p.is_alive():
            p.terminate()
            p.join()
        p.close()


def mp_apply(tasks, n_processes=2):
    """Compute tasks in parallel; returns the unordered results."""
    tasks = iter(tasks)
    first = list(islice(tasks, 2 * n_processes))
    if not first:
        return []
    results = []
    with mp.Manager() as manager:
        task_queue = manager.Queue()
        done_queue = manager.Queue()
        for task in first:
            task_queue.put((attempt, task))
        processes = []
        try:
            for _ in first[:n_processes]:
                p = mp.Process(target=worker, args=(task_queue, done_queue))
                p.start()
                processes.append(p)
            pending = len(first)
            while pending:
                results.append(next_result(done_queue, processes))
                pending -= 1
                for task in islice(tasks, 1):
                    task_queue.put((attempt, task))
                    pending += 1
        except BaseException:
            # leave nothing on the queue but the sentinels
            try:
                while True:
                    task_queue.get_nowait()
            except Empty:
                end(task_queue, processes, seconds=2)
            raise
        end(task_queue, processes)
    return results
