"""Race: workers draw the number of the next task from a shared counter without its lock."""

import multiprocessing as mp


def calculate(func, args):
    return func(*args)


def worker(tasks, next_task, output):
    while True:
        number = next_task.value
        if number >= len(tasks):
            return
        next_task.value = number + 1
        func, args = tasks[number]
        output.put((number, calculate(func, args)))


def mp_apply(tasks, n_processes=2):
    tasks = list(tasks)
    next_task, done = mp.Value("i", 0), mp.Queue()
    processes = [
        mp.Process(target=worker, args=(tasks, next_task, done)) for _ in range(n_processes)
    ]
    for p in processes:
        p.start()
    found = {}
    while len(found) < len(tasks):
        number, result = done.get()
        found[number] = result
    for p in processes:
        p.join()
    return list(found.values())
