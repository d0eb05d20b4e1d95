"""
Loops that NumPy does: squared distances, and a Monte Carlo estimate of pi.

Stats 507
"""

# imports: --------------------------------------------------------------------
import numpy as np


# functions: ------------------------------------------------------------------
def pairwise_sq_dists(x):
    """
    Compute the squared Euclidean distances between all rows.

    Parameters
    ----------
    x : ndarray, shape (n, d)
        A point in each row.

    Returns
    -------
    ndarray, shape (n, n)
        Entry (i, j) is the squared distance of the rows i and j.
    """
    x = np.asarray(x, dtype=float)
    dists = np.zeros((len(x), len(x)))
    for column in x.T:
        dists += (column[:, None] - column[None, :]) ** 2
    return dists


def estimate_pi_vectorized(n_draws, seed):
    """
    Estimate pi by the share of random points of the unit square that are in the circle.

    Parameters
    ----------
    n_draws : int
        The number of points.
    seed : int
        The seed of the generator, numpy.random.default_rng(seed).

    Returns
    -------
    float
        4 times the share of the points with a distance of at most 1 from the origin.
    """
    x, y = np.random.default_rng(seed).random((2, n_draws))
    return 4 * np.count_nonzero(x * x + y * y <= 1) / n_draws
