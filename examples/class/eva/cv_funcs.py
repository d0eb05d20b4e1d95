# Eva
# STATS 507 - problem set 6 - multiprocessing

import multiprocessing as mp
import time

import numpy as np

np.random.seed(507)


def calculate(func, args):
    """
    Compute one task.

    Parameters
    ----------
    func : function
    args : tuple

    Returns
    -------
    func(*args)
    """
    return func(*args)


def worker(input, output):
    """
    Compute tasks from the input queue, write to the output queue.

    Parameters
    ----------
    input : Queue
    output : Queue

    Returns
    -------
    None.
    """
    for func, args in iter(input.get, "STOP"):
        result = calculate(func, args)
        output.put(result)


def mp_apply(tasks, n_processes=2):
    """
    Compute tasks in parallel.

    Parameters
    ----------
    tasks : list
    n_processes : int, optional

    Returns
    -------
    results : list
    """
    t = time.time()
    tasks = list(tasks)

    # queues
    task_queue = mp.Queue()
    done_queue = mp.Queue()
    for task in tasks:
        task_queue.put(task)

    # processes
    processes = []
    for _ in range(n_processes):
        process = mp.Process(target=worker, args=(task_queue, done_queue))
        process.start()
        processes.append(process)

    # results
    results = [done_queue.get() for _ in tasks]
    print(f"{len(results)} results, {time.time() - t:.1f} s")

    # wait for the processes to finish
    for process in processes:
        process.join()

    return results
