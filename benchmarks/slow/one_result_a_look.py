"""Right, but the parent looks for results every 0.1 s, and takes one at a time."""

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
    for task in tasks:
        task_queue.put(task)
    results = []
    while len(results) < len(tasks):
        if not done_queue.empty():
            results.append(done_queue.get())
        time.sleep(0.1)
    for _ in processes:
        task_queue.put("STOP")
    for p in processes:
        p.join()
    return results
