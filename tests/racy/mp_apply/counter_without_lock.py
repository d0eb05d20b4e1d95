"""Race: workers count the finished tasks without the counter's lock, and the parent stops at the number."""

import multiprocessing as mp


def calculate(func, args):
    return func(*args)


def worker(input, output, count):
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))
        count.value += 1


def mp_apply(tasks, n_processes=2):
    tasks = list(tasks)
    todo, done = mp.SimpleQueue(), mp.Queue()
    count = mp.Value("i", 0)
    processes = [mp.Process(target=worker, args=(todo, done, count)) for _ in range(n_processes)]
    for p in processes:
        p.start()
    for task in tasks:
        todo.put(task)
    results = [done.get() for _ in tasks]
    for p in processes:
        todo.put("STOP")
    for p in processes:
        p.join()
    return results[: count.value]
