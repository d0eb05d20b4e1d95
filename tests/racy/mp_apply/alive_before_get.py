"""Race: the parent stops collecting when no worker is alive, and does not look at the queue again."""

import multiprocessing as mp
import queue


def calculate(func, args):
    return func(*args)


def worker(input, output):
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def mp_apply(tasks, n_processes=2):
    tasks = list(tasks)
    todo, done = mp.Queue(), mp.Queue()
    processes = [mp.Process(target=worker, args=(todo, done)) for _ in range(n_processes)]
    for p in processes:
        p.start()
    for task in tasks:
        todo.put(task)
    for p in processes:
        todo.put("STOP")
    results = []
    while len(results) < len(tasks):
        try:
            results.append(done.get(timeout=0.1))
        except queue.Empty:
            if not any(p.is_alive() for p in processes):
                break
    for p in processes:
        p.join()
    return results
