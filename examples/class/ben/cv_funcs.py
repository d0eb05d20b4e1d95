#!/usr/bin/env python3
# -*- coding: utf-8 -*-
"""
Problem set 6, question 2
Ben
"""
import time
import multiprocessing as mp
import os


def wait(i):
    """
    Waits i seconds. Used for testing.
    """
    time.sleep(i)
    return((i, os.getpid()))


def calculate(func, args):
    """
    Calls func with args.
    """
    res = func(*args)
    return(res)


def worker(input, output):
    """
    The worker function. Stops at 'STOP'.
    """
    for func, args in iter(input.get, 'STOP'):
        output.put(calculate(func, args))


def mp_apply(tasks, n_processes=2):
    """
    Compute tasks in parallel.

    tasks: list of tuples
    n_processes: number of processes

    Returns the results (unordered)
    """
    start = time.time()
    task_queue = mp.Queue()
    done_queue = mp.Queue()

    # put tasks
    for t in tasks:
        task_queue.put(t)

    # start the processes
    for i in range(n_processes):
        mp.Process(target=worker, args=(task_queue, done_queue)).start()

    # results
    res = []
    for i, t in enumerate(tasks):
        res.append(done_queue.get())
    print('all', len(res), 'results after', round(time.time() - start, 2), 's')

    # stop the processes
    for i in range(n_processes):
        task_queue.put('STOP')

    return(res)


if __name__ == '__main__':
    print(mp_apply([(wait, (1, )), (wait, (2, )), (wait, (1, ))], 3))
