"""
Random numbers in child processes: the bootstrap, and a Monte Carlo estimate of pi.

Stats 507
"""

# imports: --------------------------------------------------------------------
import multiprocessing as mp

import numpy as np


# functions: ------------------------------------------------------------------
def bootstrap_means(x, n_boot, seed, n_processes=2):
    """
    Compute the means of bootstrap samples in child processes.

    Parameters
    ----------
    x : ndarray
        The data.
    n_boot : int
        The number of samples, each drawn from x with replacement and as large as x.
    seed : int
        What all streams of random numbers are derived from.
    n_processes : int, optional
        The number of child processes. The default is 2. The result does not depend on it.

    Returns
    -------
    ndarray
        n_boot means.
    """
    raise NotImplementedError


def estimate_pi(n_draws, seed, n_processes=2):
    """
    Estimate pi by the share of random points of the unit square that are in the circle.

    Parameters
    ----------
    n_draws : int
        The number of points.
    seed : int
        What all streams of random numbers are derived from.
    n_processes : int, optional
        The number of child processes. The default is 2. The result does not depend on it.

    Returns
    -------
    float
        4 times the share of the points with a distance of at most 1 from the origin.
    """
    raise NotImplementedError


# Try your functions here; this does not run when the module is imported.
if __name__ == "__main__":
    data = np.array([2.1, 3.4, 1.9, 5.6, 4.4])
    print("standard error:", bootstrap_means(data, 1000, seed=507).std())
    for n in (1, 2, 3):
        print(n, "processes:", estimate_pi(1_000_000, seed=507, n_processes=n))
    print("children left:", mp.active_children())
