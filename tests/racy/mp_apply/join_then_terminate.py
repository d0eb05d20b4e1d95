"""Race: a worker that has not ended within half a second is terminated, with the results it holds."""

import multiprocessing as mp


def calculate(func, args):
    return func(*args)


def worker(input, output):
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


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
        p.join(timeout=0.5)
        if p.is_alive():
            p.terminate()
            p.join()
    return results
