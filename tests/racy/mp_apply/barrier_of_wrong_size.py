"""Race: a worker that finds no task skips the barrier at which the others wait."""

import multiprocessing as mp
import queue


def calculate(func, args):
    return func(*args)


def worker(input, output, barrier):
    try:
        item = input.get(timeout=1.0)
    except queue.Empty:
        return
    barrier.wait()
    while item != "STOP":
        func, args = item
        output.put(calculate(func, args))
        item = input.get()


def mp_apply(tasks, n_processes=2):
    tasks = list(tasks)
    if not tasks:
        return []
    n = min(n_processes, len(tasks))
    todo, done, barrier = mp.Queue(), mp.Queue(), mp.Barrier(n)
    processes = [mp.Process(target=worker, args=(todo, done, barrier)) for _ in range(n)]
    for p in processes:
        p.start()
    for task in tasks:
        todo.put(task)
    for p in processes:
        todo.put("STOP")
    results = [done.get() for _ in tasks]
    for p in processes:
        p.join()
    return results
