"""Parameters that are set later; a grid of its own and balanced classes."""

import numpy as np
from sklearn import ensemble, linear_model
from sklearn.base import clone
from sklearn.model_selection import KFold

FOREST = ensemble.RandomForestClassifier(n_estimators=30, max_features=None, oob_score=True)


def fit_forest(x, y, n_jobs=None, seed=0):
    """Return a fitted forest."""
    model = clone(FOREST).set_params(n_jobs=n_jobs, random_state=seed)
    model.fit(x, y)
    return model


def fit_logistic_cv(x, y, n_jobs=None, seed=0):
    """Return a fitted logistic regression."""
    model = linear_model.LogisticRegressionCV(
        Cs=np.logspace(-2, 2, 4),
        cv=KFold(4, shuffle=True, random_state=seed),
        solver="liblinear",
        scoring="neg_log_loss",
    )
    model.n_jobs, model.random_state = n_jobs, seed
    return model.fit(x, y)
