"""Race: a worker takes 0.3 s of silence for the end of the tasks."""

import multiprocessing as mp
import queue


def calculate(func, args):
    return func(*args)


def worker(input, output):
    while True:
        try:
            func, args = input.get(timeout=0.3)
        except queue.Empty:
            return
        output.put(calculate(func, args))


def mp_apply(tasks, n_processes=2):
    tasks = list(tasks)
    todo, done = mp.Queue(), mp.Queue()
    processes = [mp.Process(target=worker, args=(todo, done)) for _ in range(n_processes)]
    for p in processes:
        p.start()
    for task in tasks:
        todo.put(task)
    results = [done.get() for _ in tasks]
    for p in processes:
        p.join()
    return results
