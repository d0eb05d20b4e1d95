"""Race: a worker asks whether the queue is empty before it gets; another may take the item between."""

import multiprocessing as mp


def calculate(func, args):
    return func(*args)


def worker(input, output):
    while not input.empty():
        func, args = input.get()
        output.put(calculate(func, args))


def mp_apply(tasks, n_processes=2):
    tasks = list(tasks)
    todo, done = mp.SimpleQueue(), mp.Queue()
    for task in tasks:
        todo.put(task)
    processes = [mp.Process(target=worker, args=(todo, done)) for _ in range(n_processes)]
    for p in processes:
        p.start()
    results = [done.get() for _ in tasks]
    for p in processes:
        p.join()
    return results
