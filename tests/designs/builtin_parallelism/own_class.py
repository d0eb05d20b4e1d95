"""Classes of its own, which are estimators of the asked kind all the same."""

from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegressionCV


class Forest(RandomForestClassifier):
    """A forest that says how many trees it has."""

    def __len__(self):
        """Return the number of trees."""
        return len(self.estimators_)


def fit_forest(x, y, n_jobs=None, seed=0):
    """Return a fitted random forest."""
    return Forest(n_estimators=40, random_state=seed, n_jobs=n_jobs).fit(x, y)


def fit_logistic_cv(x, y, n_jobs=None, seed=0):
    """Return a fitted logistic regression."""
    keywords = {"Cs": 3, "cv": 3, "n_jobs": n_jobs, "random_state": seed}
    return LogisticRegressionCV(**keywords).fit(x, y)
