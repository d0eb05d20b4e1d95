"""Functions for the notebook `multiprocess`: what child processes run lives here, where they can import it."""

import multiprocessing as mp
import os
import time

import numpy as np


# tasks: ------------------------------------------------------------------------
def wait(i, seconds=0.1):
    """Sleep; return (i, pid of the process that slept, start, end)."""
    start = time.time()
    time.sleep(seconds)
    return i, os.getpid(), start, time.time()


def cv_fold(x, y, fold, folds, penalty=1.0):
    """Fit ridge regression to all folds but one; return (fold, mean squared error on that one)."""
    idx_val = folds[fold]
    idx_train = np.concatenate([idx for k, idx in enumerate(folds) if k != fold])
    a = x[idx_train]
    beta = np.linalg.solve(a.T @ a + penalty * np.eye(x.shape[1]), a.T @ y[idx_train])
    return fold, float(np.mean((y[idx_val] - x[idx_val] @ beta) ** 2))


# the queue pattern: ------------------------------------------------------------
def calculate(func, args):
    """Return func(*args)."""
    return func(*args)


def worker(input, output):
    """Compute tasks from the queue `input` until it gives 'STOP'; put their results on `output`."""
    for func, args in iter(input.get, 'STOP'):
        output.put(calculate(func, args))


def mp_apply(tasks, n_processes=2):
    """Compute the tasks (func, args) in child processes; return their results in any order."""
    task_queue, done_queue = mp.Queue(), mp.Queue()
    for task in tasks:
        task_queue.put(task)
    workers = [mp.Process(target=worker, args=(task_queue, done_queue)) for _ in range(n_processes)]
    for process in workers:
        process.start()
    results = [done_queue.get() for _ in tasks]
    for _ in workers:
        task_queue.put('STOP')
    for process in workers:
        process.join()
    return results
