"""Race: a worker ends by os._exit as soon as it has put its last result."""

import multiprocessing as mp
import os
import time


def calculate(func, args):
    return func(*args)


def worker(input, output):
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))
    time.sleep(0.1)
    os._exit(0)


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
    results = [done.get() for _ in tasks]
    for p in processes:
        p.join()
    return results
