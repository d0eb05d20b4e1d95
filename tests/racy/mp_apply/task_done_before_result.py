"""Race: the collector stops when all tasks are marked done, though a result may not be written yet."""

import multiprocessing as mp
import time


def calculate(func, args):
    return func(*args)


def worker(input, output):
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))
        input.task_done()


def mp_apply(tasks, n_processes=2):
    tasks = list(tasks)
    todo, done = mp.JoinableQueue(), mp.Queue()
    processes = [mp.Process(target=worker, args=(todo, done)) for _ in range(n_processes)]
    for p in processes:
        p.start()
    for task in tasks:
        todo.put(task)
    todo.join()
    time.sleep(0.05)
    results = []
    while not done.empty():
        results.append(done.get())
    for p in processes:
        todo.put("STOP")
    for p in processes:
        p.join()
    return results
