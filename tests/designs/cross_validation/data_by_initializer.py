"""A Pool whose workers get the data once; labels are names, metrics are lists, scikit-learn scores."""

import copy
import multiprocessing as mp

from sklearn.metrics import accuracy_score, log_loss

DATA = {}


def cv_fold(fit, x, y, idx_train, idx_val, score, label=None):
    """Fit on the training rows, score the validation rows; return the label too."""
    x_train, y_train, x_val, y_val = x[idx_train], y[idx_train], x[idx_val], y[idx_val]
    return label, score(fit(x_train, y_train), x_val, y_val)


def gb_score(res, x_v, y_v):
    """Return cross entropy and accuracy at each stage."""
    metrics = {"ce_val": [], "ac_val": []}
    for stage in res.staged_predict_proba(x_v):
        metrics["ce_val"].append(log_loss(y_v, stage, labels=[0, 1]))
        metrics["ac_val"].append(accuracy_score(y_v, stage[:, 1] >= 0.5))
    return metrics


def keep(x, y, estimator):
    """Process: keep what all folds need."""
    DATA.update(x=x, y=y, estimator=estimator)


def one(number, idx_train, idx_val):
    """Process: compute one fold."""
    fit = copy.deepcopy(DATA["estimator"]).fit
    return cv_fold(fit, DATA["x"], DATA["y"], idx_train, idx_val, gb_score, f"fold {number}")


def cross_validate(estimator, x, y, folds, n_processes=2):
    """Return (label, metrics) of each fold."""
    work = [(number, train, val) for number, (train, val) in enumerate(folds, 1)]
    pool = mp.Pool(n_processes, initializer=keep, initargs=(x, y, estimator))
    try:
        return pool.starmap(one, work, chunksize=1)
    finally:
        pool.close()
        pool.join()
