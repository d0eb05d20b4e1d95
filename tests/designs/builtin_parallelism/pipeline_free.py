"""Estimators that are made first and given their parameters afterwards, and fitted step by step."""

from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegressionCV


def fit_forest(x, y, n_jobs=None, seed=0):
    """Return a fitted random forest."""
    forest = RandomForestClassifier()
    forest.set_params(n_jobs=n_jobs, random_state=seed)
    forest.fit(x, y)
    return forest


def fit_logistic_cv(x, y, n_jobs=None, seed=0):
    """Return a fitted logistic regression."""
    model = LogisticRegressionCV(Cs=[0.1, 1.0, 10.0])
    model.set_params(n_jobs=n_jobs, random_state=seed)
    model.fit(x, y)
    return model
