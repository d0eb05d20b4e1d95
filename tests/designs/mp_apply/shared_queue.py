"""One Queue for the tasks of all workers, filled in advance; one queue for all results."""

import multiprocessing as mp
import pickle
import time
from multiprocessing.connection import wait
from queue import Empty


def calculate(func, args):
    """Return func(*args)."""
    return func(*args)


def worker(input, output):
    """Compute tasks from `input` until 'STOP', put the results on `output`."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def attempt(func, args):
    """Compute a task in a worker; returns the pickled pair (ok, result or exception)."""
    try:
        return pickle.dumps((True, calculate(func, args)))
    except BaseException as err:
        return pickle.dumps((False, f"{type(err).__name__}: {err}"))


def discard(task_queue):
    """Take back the tasks that no worker has taken."""
    try:
        while True:
            task_queue.get(timeout=0.1)
    except Empty:
        pass


def mp_apply(tasks, n_processes=2):
    """Compute tasks in parallel; returns the unordered results."""
    tasks = list(tasks)
    task_queue = mp.Queue()
    done_queue = mp.SimpleQueue()
    arrival = done_queue._reader

    processes = []
    for _ in range(min(n_processes, len(tasks))):
        p = mp.Process(target=worker, args=(task_queue, done_queue))
        p.start()
        processes.append(p)
    for task in tasks:
        task_queue.put((attempt, task))

    # get results, until there are enough or something goes wrong
    results = []
    error = None
    while len(results) < len(tasks) and error is None:
        if arrival in wait([arrival] + [p.sentinel for p in processes]):
            ok, value = pickle.loads(done_queue.get())
            if ok:
                results.append(value)
            else:
                error = value
        else:
            error = "a worker died"

    # one sentinel per worker; what comes late is thrown away
    if error is not None:
        discard(task_queue)
    for _ in processes:
        task_queue.put("STOP")
    give_up = time.monotonic() + 2
    while running := [p.sentinel for p in processes if p.is_alive()]:
        if arrival in wait([arrival, *running], timeout=None if error is None else 0.2):
            done_queue.get()
        elif error is not None and time.monotonic() > give_up:
            for p in processes:
                p.kill()
                p.join()
    for p in processes:
        p.join()
        p.close()
    if error is not None:
        discard(task_queue)
    task_queue.close()
    task_queue.join_thread()
    done_queue.close()
    if error is not None:
        raise RuntimeError(error)
    return results
