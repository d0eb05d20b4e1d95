#!/usr/bin/env python3
# -*- coding: utf-8 -*-
#
# Cross-validation functions for multi-process parallelism: the background task between the
# other functions of the lecture.
#
# 79: -------------------------------------------------------------------------

# imports: --------------------------------------------------------------------
import multiprocessing as mp
import os
import time
from multiprocessing.connection import wait as wait_for

import numpy as np


# function(s) to parallelize: -------------------------------------------------
def wait(i):
    """Wait i seconds and then return the process id."""
    start = time.ctime()
    time.sleep(i)
    return (i, os.getpid(), start, time.ctime())


def cv_fold(fit, x, y, idx_train, idx_val, score, label=None):
    """Compute score for a cross-validation fold."""
    res = fit(x[idx_train], y[idx_train])
    return (label, score(res, x[idx_val], y[idx_val]))


def gb_score(res, x_v, y_v):
    """Compute cross entropy and accuracy at each stage of boosting model."""
    y_hat = np.asarray(list(res.staged_predict_proba(x_v)))[:, :, 1]
    ce_val = -np.mean(np.where(y_v == 0, np.log(1 - y_hat), np.log(y_hat)), axis=1)
    ac_val = np.mean(np.where(y_hat > 0.5, y_v, 1 - y_v), axis=1)
    return {"ce_val": ce_val, "ac_val": ac_val}


# multiprocess helper functions: ----------------------------------------------
def calculate(func, args):
    """Call func(*args) as part of a worker process."""
    return func(*args)


def worker(input, output):
    """Function run by worker processes."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


# background functions: -------------------------------------------------------
class SendQueue:
    """What the child sees of the done queue."""

    def __init__(self, conn):
        self.put = conn.send


def bg_task(task):
    """
    Run a task in a child process without blocking using a queue.

    Parameters
    ----------
    task - tuple
    A callable and a tuple of positional parameters.

    Returns
    -------
    A tuple of handles for the child process, task queue, and done queue.
    """
    # create queues
    task_queue = mp.JoinableQueue()
    done_queue, conn = mp.Pipe(duplex=False)

    # start process, submit task
    p = mp.Process(target=worker, args=(task_queue, SendQueue(conn)))
    p.start()
    conn.close()
    task_queue.put(task)
    return (p, task_queue, done_queue)


def bg_get(p, task_queue, done_queue, block=False):
    """
    Get the result of a completed task with or without blocking.

    Parameters
    ----------
    p, task_queue, done_queue - handles
    As returned by `bg_task()`.
    block - bool, optional.
    Whether to wait until the task completes. The default is False.

    Returns
    -------
    The result of the task, if complete, else None.
    """
    if block and p.is_alive():
        wait_for([done_queue])
    try:
        if done_queue.poll():
            result = done_queue.recv()
            # stop child process
            task_queue.put("STOP")
            p.join()
            return result
    except (EOFError, OSError):
        # no result, or half of one: the child has died
        p.join()
    if p.is_alive():
        print("Task still running.")
    else:
        print("Child process inactive.")
    return None


# 79: -------------------------------------------------------------------------
