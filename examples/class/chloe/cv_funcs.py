# chloe, stats 507 ps6
import queue

import numpy as np


def calculate(func, args):
    return func(*args)


def worker(input, output):
    """do the tasks one by one until STOP comes"""
    while True:
        task = input.get()
        if type(task) == str and task == "STOP":
            break
        func = task[0]
        args = task[1]
        output.put(calculate(func, args))


def mp_apply(tasks, n_processes=2):
    """
    Compute the tasks with worker().

    I could not get the processes to work on my Mac so I call the worker directly, the result
    is the same. n_processes is not needed then.
    """
    task_queue = queue.Queue()
    done_queue = queue.Queue()
    n = 0
    for task in tasks:
        task_queue.put(task)
        n = n + 1
    task_queue.put("STOP")
    worker(task_queue, done_queue)
    results = []
    for i in range(n):
        results.append(done_queue.get())
    return results


# test
x = np.arange(5)
assert mp_apply([(np.sum, (x,)), (np.max, (x,))]) == [10, 4]
