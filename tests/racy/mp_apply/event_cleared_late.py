"""Race: the parent clears the event after the worker may have set it again."""

import multiprocessing as mp
import time


def calculate(func, args):
    return func(*args)


def worker(input, output, ready):
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))
        ready.set()


def mp_apply(tasks, n_processes=2):
    tasks = list(tasks)
    todo, done, ready = mp.Queue(), mp.Queue(), mp.Event()
    processes = [mp.Process(target=worker, args=(todo, done, ready)) for _ in range(n_processes)]
    for p in processes:
        p.start()
    for task in tasks:
        todo.put(task)
    results = []
    while len(results) < len(tasks):
        ready.wait()
        time.sleep(0.02)
        while not done.empty():
            results.append(done.get())
        ready.clear()
    for p in processes:
        todo.put("STOP")
    for p in processes:
        p.join()
    return results
