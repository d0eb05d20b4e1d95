"""Right: the parent looks every 0.1 s whether all results are there; that is no cost of a further task."""

import multiprocessing as mp
import time


def calculate(func, args):
    """Return func(*args)."""
    return func(*args)


def worker(input, output):
    """Compute tasks from `input` until 'STOP', put the results on `output`."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def mp_apply(tasks, n_processes=2):
    """Compute tasks in parallel; returns the unordered results."""
    tasks = list(tasks)
    task_queue, done_queue = mp.Queue(), mp.Queue()
    processes = [mp.Process(target=worker, args=(task_queue, done_queue)) for _ in range(n_processes)]
    for p in processes:
        p.start()
    for task in [*tasks, *["STOP"] * n_processes]:
        task_queue.put(task)
    results = []
    while len(results) < len(tasks):
        while not done_queue.empty():
            results.append(done_queue.get())
        time.sleep(0.1)
    for p in processes:
        p.join()
    return results
