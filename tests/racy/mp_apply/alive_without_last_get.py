"""Race: the parent collects only while a worker is alive."""

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
    while len(results) < len(tasks) and any(p.is_alive() for p in processes):
        try:
            results.append(done.get(timeout=0.05))
        except queue.Empty:
            pass
    for p in processes:
        p.join()
    return results
