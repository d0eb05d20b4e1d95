"""Race: results are collected by a Pool's callback, and the list is read before the last callback."""

import multiprocessing as mp
import time


def calculate(func, args):
    return func(*args)


def worker(input, output):
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def mp_apply(tasks, n_processes=2):
    tasks = list(tasks)
    results = []
    pool = mp.Pool(n_processes)
    waiting = [pool.apply_async(calculate, task, callback=results.append) for task in tasks]
    while len(results) < len(waiting):
        time.sleep(0.01)
        if time.monotonic() - begun(waiting) > 0.5:
            break
    pool.close()
    found = list(results)
    pool.join()
    return found


_START = {}


def begun(waiting):
    return _START.setdefault(id(waiting), time.monotonic())
