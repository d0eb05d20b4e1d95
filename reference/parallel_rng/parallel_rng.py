"""
Random numbers in child processes: the bootstrap, and a Monte Carlo estimate of pi.

Stats 507
"""

# imports: --------------------------------------------------------------------
import multiprocessing as mp

import numpy as np

# The tasks of a call, whatever the number of processes: each has a stream of its own.
N_TASKS = 16


# tasks: ----------------------------------------------------------------------
def boot_task(x, n, child):
    """
    Compute means of bootstrap samples.

    Parameters
    ----------
    x : ndarray
        The data.
    n : int
        The number of samples.
    child : SeedSequence
        Where the stream of this task begins.

    Returns
    -------
    ndarray
        The mean of each sample.
    """
    rng = np.random.default_rng(child)
    return x[rng.integers(0, len(x), size=(n, len(x)))].mean(axis=1)


def pi_task(n, child):
    """
    Count how many of n random points in the unit square are in the circle.

    Parameters
    ----------
    n : int
        The number of points.
    child : SeedSequence
        Where the stream of this task begins.

    Returns
    -------
    int
        The number of points with a distance of at most 1 from the origin.
    """
    points = np.random.default_rng(child).random((n, 2))
    return int(np.count_nonzero((points**2).sum(axis=1) <= 1))


# functions: ------------------------------------------------------------------
def split(total):
    """Return the sizes of the tasks that make up `total`; none is empty."""
    n_tasks = min(N_TASKS, total)
    base, more = divmod(total, n_tasks)
    return [base + (i < more) for i in range(n_tasks)]


def compute(task, args, n_processes):
    """Return task(*arg) for each of args, in order, computed by a pool of child processes."""
    with mp.Pool(n_processes) as pool:
        results = pool.starmap(task, args)
        pool.close()
        pool.join()
    return results


def bootstrap_means(x, n_boot, seed, n_processes=2):
    """
    Compute the means of bootstrap samples in child processes.

    Parameters
    ----------
    x : array_like
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
    x = np.asarray(x)
    sizes = split(n_boot)
    children = np.random.SeedSequence(seed).spawn(len(sizes))
    args = [(x, n, child) for n, child in zip(sizes, children)]
    return np.concatenate(compute(boot_task, args, n_processes))


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
        The estimate.
    """
    sizes = split(n_draws)
    children = np.random.SeedSequence(seed).spawn(len(sizes))
    return 4 * sum(compute(pi_task, list(zip(sizes, children)), n_processes)) / n_draws
