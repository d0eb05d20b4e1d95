"""Cross-validation whose labels are objects of a class, and whose pairs and metrics are of classes
made of built-in ones.
"""

import collections
import concurrent.futures
import dataclasses
from typing import NamedTuple

from sklearn.metrics import accuracy_score, log_loss


@dataclasses.dataclass(frozen=True)
class Fold:
    """Which fold it is, and of how many."""

    number: int
    of: int


class Scored(NamedTuple):
    """The metrics of a fold."""

    label: object
    metrics: dict


def cv_fold(fit, x, y, idx_train, idx_val, score, label=None):
    """Fit on training rows, and score on validation rows."""
    res = fit(x[idx_train], y[idx_train])
    return Scored(label, score(res, x[idx_val], y[idx_val]))


def gb_score(res, x_v, y_v):
    """Cross entropy and accuracy at each stage."""
    metrics = collections.defaultdict(list)
    for stage in res.staged_predict_proba(x_v):
        metrics["ce_val"].append(log_loss(y_v, stage, labels=[0, 1]))
        metrics["ac_val"].append(accuracy_score(y_v, stage[:, 1] > 0.5))
    return metrics


def cross_validate(estimator, x, y, folds, n_processes=2):
    """Label and metrics of every fold, in their order."""
    folds = list(folds)
    with concurrent.futures.ProcessPoolExecutor(n_processes) as executor:
        futures = [
            executor.submit(cv_fold, estimator.fit, x, y, train, val, gb_score, Fold(i, len(folds)))
            for i, (train, val) in enumerate(folds, 1)
        ]
        return [future.result() for future in futures]
