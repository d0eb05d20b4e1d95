"""
Finn
Problem Set 6, Question 2
"""
import multiprocessing as mp


def calculate(func, args):
    """Calculate func of args."""
    return func(*args)


def worker(input, output):
    """Work until STOP."""
    for func, args in iter(input.get, 'STOP')
        output.put(calculate(func, args))


def mp_apply(tasks, n_processes=2):
    """
    Apply the tasks in parallel.
    """
    task_queue = mp.Queue()
    done_queue = mp.Queue()
    for task in tasks:
        task_queue.put(task)
    processes = [mp.Process(target=worker, args=(task_queue, done_queue)) for i in range(n_processes)]
    for p in processes:
        p.start()
    results = [done_queue.get() for task in tasks]
    for p in processes:
        task_queue.put('STOP')
    for p in processes:
        p.join()
    return results
