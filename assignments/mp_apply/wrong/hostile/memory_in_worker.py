"""A worker takes memory without end."""

import time

import multiprocessing as mp


def calculate(func, args):
    """Return `func(*args)`."""
    return func(*args)


def worker(input, output):
    """Compute tasks until the sentinel 'STOP'."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def glutton(input, output):
    """Eat, before any work."""
    eaten = []
    while True:
        eaten.append(bytearray(50_000_000))


def mp_apply(tasks, n_processes=2):
    """The queue pattern of the lecture, with workers that eat."""
    tasks, todo, done = list(tasks), mp.Queue(), mp.Queue()
    processes = [mp.Process(target=glutton, args=(todo, done)) for _ in range(n_processes)]
    for p in processes:
        p.start()
    for task in tasks:
        todo.put(task)
    results = [done.get() for _ in tasks]
    for p in processes:
        todo.put("STOP")
    for p in processes:
        p.join(0.5)
    return results
