"""Race: a task whose result did not come in time is sent again, and may be done twice."""

import multiprocessing as mp
import queue


def calculate(func, args):
    return func(*args)


def worker(input, output):
    for number, func, args in iter(input.get, "STOP"):
        output.put((number, calculate(func, args)))


def mp_apply(tasks, n_processes=2):
    tasks = list(tasks)
    todo, done = mp.Queue(), mp.Queue()
    processes = [mp.Process(target=worker, args=(todo, done)) for _ in range(n_processes)]
    for p in processes:
        p.start()
    for number, (func, args) in enumerate(tasks):
        todo.put((number, func, args))
    found = {}
    while len(found) < len(tasks):
        try:
            number, result = done.get(timeout=1.0)
            found[number] = result
        except queue.Empty:
            for number, (func, args) in enumerate(tasks):
                if number not in found:
                    todo.put((number, func, args))
    for p in processes:
        todo.put("STOP")
    for p in processes:
        p.join()
    return list(found.values())
