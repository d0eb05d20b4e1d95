"""Race: a worker does not wait for its queue's feeder thread when it ends."""

import multiprocessing as mp
import time


def calculate(func, args):
    return func(*args)


def worker(input, output):
    output.cancel_join_thread()
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))
    time.sleep(0.05)


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
