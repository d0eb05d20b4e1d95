"""Race: a thread puts the sentinels while the caller still puts tasks."""

import multiprocessing as mp
import threading
import time


def calculate(func, args):
    return func(*args)


def worker(input, output):
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def stop(todo, n):
    time.sleep(0.2)
    for _ in range(n):
        todo.put("STOP")


def mp_apply(tasks, n_processes=2):
    tasks = list(tasks)
    todo, done = mp.Queue(), mp.Queue()
    processes = [mp.Process(target=worker, args=(todo, done)) for _ in range(n_processes)]
    for p in processes:
        p.start()
    stopper = threading.Thread(target=stop, args=(todo, n_processes))
    stopper.start()
    for task in tasks:
        todo.put(task)
    results = [done.get() for _ in tasks]
    stopper.join()
    for p in processes:
        p.join()
    return results
