"""Generators that are made of the seed, in place of the seed itself."""

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegressionCV


def fit_forest(x, y, n_jobs=None, seed=0):
    """Return a fitted random forest."""
    rng = np.random.RandomState(seed)
    return RandomForestClassifier(n_estimators=30, n_jobs=n_jobs, random_state=rng).fit(x, y)


def fit_logistic_cv(x, y, n_jobs=None, seed=0):
    """Return a fitted logistic regression, by a solver that shuffles the rows."""
    rng = np.random.RandomState(seed)
    return LogisticRegressionCV(
        Cs=3, cv=3, solver="saga", max_iter=500, n_jobs=n_jobs, random_state=rng
    ).fit(x, y)
