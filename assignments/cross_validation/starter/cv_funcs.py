"""
Cross-validation functions for multi-process parallelism.

Stats 507
"""

# imports: --------------------------------------------------------------------
import multiprocessing as mp

import numpy as np


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
    raise NotImplementedError


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
    raise NotImplementedError


# multiprocess helper functions: ----------------------------------------------
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
        (label, metrics) of each fold, in the order of `folds`. Labels are free, but distinct.
    """
    raise NotImplementedError


# Try your functions here; this does not run when the module is imported.
if __name__ == "__main__":
    from sklearn.datasets import load_breast_cancer
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.model_selection import StratifiedKFold

    x, y = load_breast_cancer(return_X_y=True)
    folds = list(StratifiedKFold(5, shuffle=True, random_state=507).split(x, y))
    estimator = GradientBoostingClassifier(n_estimators=50, random_state=507)
    for label, metrics in cross_validate(estimator, x, y, folds, n_processes=2):
        print(label, "best cross entropy:", np.min(metrics["ce_val"]))
    print("children left:", mp.active_children())
