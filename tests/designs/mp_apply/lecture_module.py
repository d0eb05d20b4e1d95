#!/usr/bin/env python3
# -*- coding: utf-8 -*-
#
# Cross-validation functions for multi-process parallelism: everything of the lecture in one file,
# with an mp_apply that also copes with errors.
#
# 79: -------------------------------------------------------------------------

# imports: --------------------------------------------------------------------
import asyncio
import multiprocessing as mp
import os
import pickle
import time
from multiprocessing.connection import wait as wait_for

import numpy as np


# function(s) to parallelize: -------------------------------------------------
def wait(i):
    """
    Sleep for i seconds.

    Parameters
    ----------
    i - int or float
    The time, in seconds, to wait before returning the process id.

    Returns
    -------
    A tuple with the time, the process id, and when it began and ended.
    """
    start = time.ctime()
    time.sleep(i)
    return (i, os.getpid(), start, time.ctime())


def cv_fold(fit, x, y, idx_train, idx_val, score, label=None):
    """
    Fit and score one cross-validation fold.

    Parameters
    ----------
    fit - callable.
    Fits an estimator to the training data.
    x, y - ndarray
    Features and labels.
    idx_train, idx_val - ndarray or slice.
    Indices of the training and validation folds.
    score - callable
    Function with signature (res, x, y) for the validation sample.
    label - string or None, optional.
    A label for the fold. The default is None.

    Returns
    -------
    A tuple (label, metrics).
    """
    res = fit(x[idx_train], y[idx_train])
    return (label, score(res, x[idx_val], y[idx_val]))


def gb_score(res, x_v, y_v):
    """
    Compute cross entropy and accuracy at each stage of a boosting model.

    Parameters
    ----------
    res - a fitted gradient boosting classifier.
    x_v, y_v - Validation features and labels.

    Returns
    -------
    A dictionary with entries `ce_val` and `ac_val`.
    """
    y_hat = np.asarray(list(res.staged_predict_proba(x_v)))[:, :, 1]
    ce_val = -np.mean(np.where(y_v == 0, np.log(1 - y_hat), np.log(y_hat)), axis=1)
    ac_val = np.mean(np.where(y_hat > 0.5, y_v, 1 - y_v), axis=1)
    return {"ce_val": ce_val, "ac_val": ac_val}


# multiprocess helper functions: ----------------------------------------------
def calculate(func, args):
    """Call func(*args) as part of a worker process."""
    result = func(*args)
    return result


def worker(input, output):
    """
    Function run by worker processes.

    Parameters
    ----------
    input, output - Queues.
    """
    for func, args in iter(input.get, "STOP"):
        result = calculate(func, args)
        output.put(result)


def try_calculate(func, args):
    """Returns (result, None) or (None, message), pickled."""
    try:
        return pickle.dumps((calculate(func, args), None))
    except BaseException as err:
        return pickle.dumps((None, f"{type(err).__name__}: {err}"))


class Outbox:
    """One end of a pipe, with a put() as a queue has it."""

    def __init__(self, conn):
        self.put = conn.send


def mp_apply(tasks, n_processes=2):
    """
    Compute tasks in parallel.

    Parameters
    ----------
    tasks - list of tuples.
    Each with first element a callable and second a tuple of positional arguments.
    n_processes - int, optional.
    The number of child processes used to compute the tasks. The default is 2.

    Returns
    -------
    The unordered results of the computed tasks.
    """
    # submit tasks, not more than there are workers
    tasks = list(tasks)
    n_processes = min(n_processes, len(tasks))
    task_queue = mp.SimpleQueue()

    # start processes
    workers = {}
    for _ in range(n_processes):
        conn, far_end = mp.Pipe(duplex=False)
        p = mp.Process(target=worker, args=(task_queue, Outbox(far_end)))
        p.start()
        far_end.close()
        workers[conn] = p
    for task in tasks[:n_processes]:
        task_queue.put((try_calculate, task))
    waiting = tasks[n_processes:]

    # get unordered results
    results = []
    error = None
    while error is None and len(results) < len(tasks):
        for conn in wait_for(list(workers)):
            try:
                result, message = pickle.loads(conn.recv())
            except (EOFError, OSError):
                result, message = None, "a worker process died"
            if message is not None:
                error = message
                break
            results.append(result)
            if waiting:
                task_queue.put((try_calculate, waiting.pop(0)))

    # stop child processes
    for _ in workers:
        task_queue.put("STOP")
    end = time.monotonic() + 2
    running = list(workers)
    while running and (error is None or time.monotonic() < end):
        for conn in wait_for(running, None if error is None else 0.1):
            try:
                conn.recv_bytes()
            except (EOFError, OSError):
                running.remove(conn)
    for conn in workers:
        if conn in running:
            workers[conn].kill()
        workers[conn].join()
        workers[conn].close()
        conn.close()
    task_queue.close()
    if error is not None:
        raise RuntimeError(error)
    return results


# background functions: -------------------------------------------------------
def bg_task(task):
    """Run a task in a child process; returns the handles (p, task_queue, done_queue)."""
    task_queue = mp.SimpleQueue()
    done_queue, far_end = mp.Pipe(duplex=False)
    p = mp.Process(target=worker, args=(task_queue, Outbox(far_end)))
    p.start()
    far_end.close()
    task_queue.put(task)
    return (p, task_queue, done_queue)


def bg_get(p, task_queue, done_queue, block=False):
    """Get the result of a background task, if it is complete, else None."""
    try:
        if not done_queue.poll(None if block else 0):
            print("Task still running.")
            return None
        result = done_queue.recv()
    except (EOFError, OSError):
        print("Child process inactive.")
        p.join()
        return None
    task_queue.put("STOP")
    p.join()
    return result


async def async_task(task):
    """Compute a task (func, args), (func, kwargs) or (func, args, kwargs) without blocking."""
    func, *rest = task
    args = () if isinstance(rest[0], dict) else rest[0]
    kwargs = rest[-1] if isinstance(rest[-1], dict) else {}
    return await asyncio.to_thread(func, *args, **kwargs)


# 79: -------------------------------------------------------------------------
