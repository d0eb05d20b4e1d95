"""Race: a worker takes two locks in the order of its task's number, so two may wait for each other."""

import multiprocessing as mp
import time


def calculate(func, args):
    return func(*args)


def worker(place, input, output, first, second):
    time.sleep(0.25 * place)  # not all at once
    while True:
        item = input.get()
        if item == "STOP":
            return
        number, (func, args) = item
        one, two = (first, second) if number % 2 else (second, first)
        result = calculate(func, args)
        with one:
            kept = result
            with two:
                output.put(kept)


def mp_apply(tasks, n_processes=2):
    tasks = list(tasks)
    todo, done = mp.Queue(), mp.Queue()
    first, second = mp.Lock(), mp.Lock()
    processes = [
        mp.Process(target=worker, args=(place, todo, done, first, second))
        for place in range(n_processes)
    ]
    for p in processes:
        p.start()
    for item in enumerate(tasks):
        todo.put(item)
    results = [done.get() for _ in tasks]
    for p in processes:
        todo.put("STOP")
    for p in processes:
        p.join()
    return results
