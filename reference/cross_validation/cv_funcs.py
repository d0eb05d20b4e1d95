"""
Cross-validation functions for multi-process parallelism.

Stats 507
"""

# imports: --------------------------------------------------------------------
import multiprocessing as mp

import numpy as np
from sklearn.base import clone


# function(s) to parallelize: -------------------------------------------------
def cv_fold(fit, x, y, idx_train, idx_val, score, label=None):
    """
    Compute the score of a cross-validation fold.

    Parameters
    ----------
    fit : callable
        A function with signature `fit(x, y)` that fits an estimator to the training data and
        returns what is fitted, e.g. the `.fit()` method of an estimator of scikit-learn.
    x, y : ndarray
        Features and labels.
    idx_train, idx_val : ndarray of int, or slice
        Rows of the training and of the validation folds.
    score : callable
        A function with signature `score(res, x, y)` that scores what `fit` returned.
    label : object, optional
        A label for the fold. The default is None.

    Returns
    -------
    tuple
        (label, metrics), where metrics is what `score` returned for the validation fold.
    """
    res = fit(x[idx_train], y[idx_train])
    return label, score(res, x[idx_val], y[idx_val])


def gb_score(res, x_v, y_v):
    """
    Compute cross entropy and accuracy at each stage of a boosting model.

    Parameters
    ----------
    res : a fitted gradient boosting classifier of scikit-learn
    x_v, y_v : ndarray
        Validation features and labels, which are 0 and 1.

    Returns
    -------
    dict
        With the entries `ce_val` and `ac_val`: validation cross entropy, and accuracy at the 0.5
        cut, at each stage.
    """
    ce_val, ac_val = [], []
    for proba in res.staged_predict_proba(x_v):
        p = proba[:, 1]
        ce_val.append(-np.mean(np.where(y_v == 1, np.log(p), np.log(1 - p))))
        ac_val.append(np.mean((p > 0.5) == (y_v == 1)))
    return {"ce_val": np.array(ce_val), "ac_val": np.array(ac_val)}


# multiprocess helper functions: ----------------------------------------------
def calculate(func, args):
    """Return func(*args)."""
    return func(*args)


def worker(input, output):
    """Compute tasks from the queue `input` until the sentinel 'STOP'; put results on `output`."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def cross_validate(estimator, x, y, folds, n_processes=2):
    """
    Compute the metrics of every fold in child processes, one task for each fold.

    Parameters
    ----------
    estimator : a gradient boosting classifier of scikit-learn
        It is left unfitted.
    x, y : ndarray
        Features and labels.
    folds : list of tuples
        Pairs (idx_train, idx_val) of arrays of row numbers.
    n_processes : int, optional
        The number of child processes. The default is 2.

    Returns
    -------
    list of tuples
        (label, metrics) of each fold, in the order of `folds`.
    """
    folds = list(folds)
    task_queue, done_queue = mp.Queue(), mp.Queue()
    for i, (idx_train, idx_val) in enumerate(folds):
        fit = clone(estimator).fit
        task_queue.put((cv_fold, (fit, x, y, idx_train, idx_val, gb_score, i)))
    workers = [
        mp.Process(target=worker, args=(task_queue, done_queue))
        for _ in range(min(n_processes, len(folds)))
    ]
    for p in workers:
        p.start()
        task_queue.put("STOP")
    results = [done_queue.get() for _ in folds]
    for p in workers:
        p.join()
    return sorted(results, key=lambda result: result[0])
