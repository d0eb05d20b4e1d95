"""Race: the caller puts a task and a worker looks for it at once, without waiting."""

import multiprocessing as mp
import queue
import time


def calculate(func, args):
    return func(*args)


def worker(input, output):
    time.sleep(0.1)
    while True:
        try:
            func, args = input.get_nowait()
        except queue.Empty:
            return
        output.put(calculate(func, args))


def mp_apply(tasks, n_processes=2):
    tasks = list(tasks)
    todo, done = mp.Queue(), mp.Queue()
    for task in tasks:
        todo.put(task)
    processes = [mp.Process(target=worker, args=(todo, done)) for _ in range(n_processes)]
    for p in processes:
        p.start()
    results = [done.get() for _ in tasks]
    for p in processes:
        p.join()
    return results
