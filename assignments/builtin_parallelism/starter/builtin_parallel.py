"""
Parallelism that is built in: estimators of scikit-learn with n_jobs.

Stats 507
"""

# imports: --------------------------------------------------------------------
import timeit

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
    raise NotImplementedError


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
    raise NotImplementedError


# Try your functions here; this does not run when the module is imported.
if __name__ == "__main__":
    from sklearn.datasets import load_breast_cancer

    x, y = load_breast_cancer(return_X_y=True)
    for jobs in (1, 2):
        print(jobs, "jobs:", timeit.timeit(lambda: fit_forest(x, y, n_jobs=jobs), number=1), "s")
    print(fit_logistic_cv(x[:, :4], y, n_jobs=2).C_)
