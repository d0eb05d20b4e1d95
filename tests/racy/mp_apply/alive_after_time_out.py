"""After half a second without a result the caller asks who is alive, and gives up where nobody is.

A plain run never waits that long. A worker that is held lets the time-out run out; if it then puts
its last result and ends before the caller asks, that result is lost.
"""

import multiprocessing as mp
from queue import Empty


def calculate(func, args):
    return func(*args)


def worker(input, output):
    for number, (func, args) in iter(input.get, "STOP"):
        output.put((number, calculate(func, args)))


def mp_apply(tasks, n_processes=2):
    tasks = list(tasks)
    task_queue, done_queue = mp.Queue(), mp.Queue()
    for task in enumerate(tasks):
        task_queue.put(task)
    for _ in range(n_processes):
        task_queue.put("STOP")
    procs = [mp.Process(target=worker, args=(task_queue, done_queue)) for _ in range(n_processes)]
    for p in procs:
        p.start()
    results = {}
    while len(results) < len(tasks):
        try:
            number, result = done_queue.get(timeout=0.5)
        except Empty:
            if not any(p.is_alive() for p in procs):
                break
        else:
            results[number] = result
    for p in procs:
        p.join()
    return [results[number] for number in sorted(results)]
