"""
Loops that NumPy does: squared distances, and a Monte Carlo estimate of pi.

Stats 507
"""

# imports: --------------------------------------------------------------------
import timeit

import numpy as np


# loops, to be replaced: ------------------------------------------------------
def pairwise_sq_dists_loop(x):
    """Compute the squared Euclidean distances between all rows, by loops of Python."""
    n, d = x.shape
    dists = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            for k in range(d):
                dists[i, j] += (x[i, k] - x[j, k]) ** 2
    return dists


def estimate_pi_loop(n_draws, seed):
    """Estimate pi, by a loop of Python."""
    rng = np.random.default_rng(seed)
    inside = 0
    for _ in range(n_draws):
        if rng.random() ** 2 + rng.random() ** 2 <= 1:
            inside += 1
    return 4 * inside / n_draws


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
    raise NotImplementedError


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
    raise NotImplementedError


# Try your functions here; this does not run when the module is imported.
if __name__ == "__main__":
    data = np.random.default_rng(507).normal(size=(200, 3))
    for function in (pairwise_sq_dists_loop, pairwise_sq_dists):
        print(function.__name__, timeit.timeit(lambda: function(data), number=1), "s")
    for function in (estimate_pi_loop, estimate_pi_vectorized):
        print(function.__name__, timeit.timeit(lambda: function(100_000, 507), number=1), "s")
