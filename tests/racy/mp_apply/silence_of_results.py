"""Race: the parent takes half a second without a result for the end of all."""

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
            results.append(done.get(timeout=0.5))
        except queue.Empty:
            break
    for p in processes:
        p.join()
    return results
