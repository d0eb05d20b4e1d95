"""ProcessPoolExecutor.map, which cancels what waits when a result raises."""

from concurrent.futures import ProcessPoolExecutor


def calculate(func, args):
    return func(*args)


def worker(input, output):
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def mp_apply(tasks, n_processes=2):
    tasks = list(tasks)
    with ProcessPoolExecutor(n_processes) as executor:
        return list(executor.map(calculate, [task[0] for task in tasks], [task[1] for task in tasks]))
