"""Race: a worker reads a manager's list, changes its copy and writes it back."""

import multiprocessing as mp
import time


def calculate(func, args):
    return func(*args)


def worker(place, input, shared):
    time.sleep(0.25 * place)  # not all at once
    for func, args in iter(input.get, "STOP"):
        result = calculate(func, args)
        found = shared["results"]
        found.append(result)
        shared["results"] = found


def mp_apply(tasks, n_processes=2):
    tasks = list(tasks)
    with mp.Manager() as manager:
        shared = manager.dict(results=[])
        todo = mp.Queue()
        processes = [
            mp.Process(target=worker, args=(place, todo, shared)) for place in range(n_processes)
        ]
        for p in processes:
            p.start()
        for task in tasks:
            todo.put(task)
        for p in processes:
            todo.put("STOP")
        for p in processes:
            p.join()
        return list(shared["results"])
