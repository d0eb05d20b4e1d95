"""
Parallelism that is built in: estimators of scikit-learn with n_jobs.

Stats 507
"""

# imports: --------------------------------------------------------------------
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegressionCV


# functions: ------------------------------------------------------------------
def fit_forest(x, y, n_jobs=None, seed=0):
    """
    Fit a random forest.

    Parameters
    ----------
    x, y : ndarray
        Features and labels.
    n_jobs : int or None, optional
        The number of jobs that scikit-learn runs in parallel. The default is None.
    seed : int, optional
        What the random choices of the forest are derived from. The default is 0.

    Returns
    -------
    RandomForestClassifier
        Fitted to x and y.
    """
    forest = RandomForestClassifier(n_estimators=50, n_jobs=n_jobs, random_state=seed)
    return forest.fit(x, y)


def fit_logistic_cv(x, y, n_jobs=None, seed=0):
    """
    Fit a logistic regression whose penalty is chosen by cross-validation.

    Parameters
    ----------
    x, y : ndarray
        Features and labels.
    n_jobs : int or None, optional
        The number of jobs that scikit-learn runs in parallel. The default is None.
    seed : int, optional
        What the random choices of the solver are derived from. The default is 0.

    Returns
    -------
    LogisticRegressionCV
        Fitted to x and y.
    """
    model = LogisticRegressionCV(Cs=5, cv=3, n_jobs=n_jobs, random_state=seed)
    return model.fit(x, y)
