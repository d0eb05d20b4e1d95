"""An executor, whose futures are read in order; scikit-learn's own metrics."""

from concurrent.futures import ProcessPoolExecutor

import numpy as np
from sklearn.base import clone
from sklearn.metrics import accuracy_score, log_loss


def cv_fold(fit, x, y, idx_train, idx_val, score, label=None):
    """Fit and score one fold."""
    model = fit(x[idx_train], y[idx_train])
    metrics = score(model, x[idx_val], y[idx_val])
    return label, metrics


def gb_score(res, x_v, y_v):
    """Return cross entropy and accuracy by stage."""
    stages = list(res.staged_predict_proba(x_v))
    return {
        "ce_val": np.array([log_loss(y_v, p, labels=[0, 1]) for p in stages]),
        "ac_val": np.array([accuracy_score(y_v, p[:, 1] > 0.5) for p in stages]),
    }


def cross_validate(estimator, x, y, folds, n_processes=2):
    """Return [(label, metrics), ...]."""
    with ProcessPoolExecutor(max_workers=n_processes) as executor:
        futures = [
            executor.submit(cv_fold, clone(estimator).fit, x, y, train, val, gb_score, i)
            for i, (train, val) in enumerate(folds)
        ]
        return [future.result() for future in futures]
