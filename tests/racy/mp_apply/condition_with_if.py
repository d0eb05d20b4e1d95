"""Race: a worker waits for a condition with `if`: when it wakes, another may have taken the task."""

import multiprocessing as mp
import time


def calculate(func, args):
    return func(*args)


def worker(input, there, condition, output):
    while True:
        with condition:
            if there.value == 0:
                condition.wait()
            there.value -= 1
        item = input.get()
        if item == "STOP":
            return
        func, args = item
        output.put(calculate(func, args))


def mp_apply(tasks, n_processes=2):
    tasks = list(tasks)
    todo, done = mp.SimpleQueue(), mp.Queue()
    condition, there = mp.Condition(), mp.Value("i", 0, lock=False)
    processes = [
        mp.Process(target=worker, args=(todo, there, condition, done)) for _ in range(n_processes)
    ]
    for p in processes:
        p.start()
    for item in [*tasks, *["STOP"] * n_processes]:
        todo.put(item)
        time.sleep(0.03)
        with condition:
            there.value += 1
            condition.notify()
    results = [done.get() for _ in tasks]
    for p in processes:
        p.join()
    return results
