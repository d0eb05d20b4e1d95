"""Folds of its own, another solver, and more trees."""

from sklearn import ensemble, linear_model
from sklearn.model_selection import StratifiedKFold


def fit_forest(x, y, n_jobs=None, seed=0):
    """Return a fitted random forest."""
    return ensemble.RandomForestClassifier(
        120, max_depth=4, oob_score=True, n_jobs=n_jobs, random_state=seed
    ).fit(x, y)


def fit_logistic_cv(x, y, n_jobs=None, seed=0):
    """Return a fitted logistic regression."""
    folds = StratifiedKFold(4, shuffle=True, random_state=seed)
    return linear_model.LogisticRegressionCV(
        Cs=4, cv=folds, solver="liblinear", n_jobs=n_jobs, random_state=seed
    ).fit(x, y)
