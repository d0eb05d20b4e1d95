"""Functions for the notebook `multiprocess`: what child processes run lives here, where they can import it."""

import os
import time


def wait(i, seconds=0.1):
    """
    Sleep; a task that shows which process did it, and when.

    Parameters
    ----------
    i : int
        Number of the task.
    seconds : float, optional
        How long to sleep.

    Returns
    -------
    tuple
        (i, pid of the process that slept, start, end); times in seconds since the epoch.
    """
    start = time.time()
    time.sleep(seconds)
    return i, os.getpid(), start, time.time()


def mp_apply(tasks, n_processes=2):
    """
    Compute tasks in child processes, through a queue.

    Parameters
    ----------
    tasks : list of tuple
        Tasks (func, args): a callable and a tuple of its arguments.
    n_processes : int, optional
        How many child processes share the work.

    Returns
    -------
    list
        One result for each task, in any order.
    """
    raise NotImplementedError  # your code here, or that of the assignment mp_apply


def cv_fold(x, y, fold, folds):
    """
    Fit a model of your choice to all folds but one.

    Parameters
    ----------
    x : array of shape (n, p)
    y : array of shape (n,)
    fold : int
        Which fold is left out.
    folds : list of arrays of int
        Indices of the rows in each fold.

    Returns
    -------
    tuple
        (fold, mean squared error on the fold that was left out).
    """
    raise NotImplementedError  # your code here
