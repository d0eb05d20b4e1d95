"""Queues of a manager, labels that are tuples, and a deep copy of the estimator for each fold."""

import copy
import multiprocessing as mp

import numpy as np


def cv_fold(fit, x, y, idx_train, idx_val, score, label=None):
    """Fit and score one fold."""
    res = fit(np.take(x, np.arange(len(x))[idx_train], axis=0), y[idx_train])
    return (label, score(res, x[idx_val], y[idx_val]))


def gb_score(res, x_v, y_v):
    """Return cross entropy and accuracy by stage."""
    out = {"ce_val": [], "ac_val": []}
    for proba in res.staged_predict_proba(x_v):
        out["ce_val"].append(float(-np.log(proba[np.arange(len(y_v)), y_v]).mean()))
        out["ac_val"].append(float((proba.argmax(axis=1) == y_v).mean()))
    return out


def worker(input, output):
    """Compute tasks until 'STOP'."""
    for func, args in iter(input.get, "STOP"):
        output.put(func(*args))


def cross_validate(estimator, x, y, folds, n_processes=2):
    """Return [(label, metrics), ...]."""
    with mp.Manager() as manager:
        task_queue, done_queue = manager.Queue(), manager.Queue()
        for k, (train, val) in enumerate(folds):
            label = ("fold", k + 1)
            task_queue.put((cv_fold, (copy.deepcopy(estimator).fit, x, y, train, val, gb_score, label)))
        processes = []
        for _ in range(n_processes):
            task_queue.put("STOP")
            processes.append(mp.Process(target=worker, args=(task_queue, done_queue)))
            processes[-1].start()
        results = [done_queue.get() for _ in folds]
        for p in processes:
            p.join()
    return sorted(results)
