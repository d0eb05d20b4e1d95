"""A closed and joined Pool; plain Python lists of metrics; the lecture's indexing of two-dimensional arrays."""

import multiprocessing as mp

import numpy as np


def cv_fold(fit, x, y, idx_train, idx_val, score, label=None):
    """Fit and score one fold."""
    fitted = fit(x[idx_train, :], y[idx_train])
    return (label, score(fitted, x[idx_val, :], y[idx_val]))


def gb_score(res, x_v, y_v):
    """Return cross entropy and accuracy by stage, as the lecture computes them."""
    y_hat = np.asarray(list(res.staged_predict_proba(x_v)))[:, :, 1]
    ce = -np.mean(np.where(y_v == 0, np.log(1 - y_hat), np.log(y_hat)), axis=1)
    ac = np.mean(np.where(y_hat > 0.5, y_v, 1 - y_v), axis=1)
    return {"ce_val": ce.tolist(), "ac_val": ac.tolist()}


def cross_validate(estimator, x, y, folds, n_processes=2):
    """Return [(label, metrics), ...]."""
    tasks = [
        (estimator.fit, x, y, train, val, gb_score, f"fold_{k}")
        for k, (train, val) in enumerate(folds)
    ]
    pool = mp.Pool(n_processes)
    results = pool.starmap(cv_fold, tasks, chunksize=1)
    pool.close()
    pool.join()
    return results
