"""Seeds `[task, seed]`, a task for each sample, and `with Pool`, as in NumPy's own page on parallel streams."""

import multiprocessing as mp

import numpy as np


def one_mean(i, seed, x):
    """Return the mean of bootstrap sample i."""
    rng = np.random.default_rng([i, seed])
    return np.mean(rng.choice(x, len(x)))


def one_share(i, seed, n):
    """Return 4 times the share of n points in the circle."""
    rng = np.random.default_rng([i, seed])
    x = rng.uniform(-1, 1, size=n)
    y = rng.uniform(-1, 1, size=n)
    return 4 * (x * x + y * y <= 1).mean()


def bootstrap_means(x, n_boot, seed, n_processes=2):
    """Return the means of n_boot bootstrap samples of x."""
    with mp.Pool(processes=n_processes) as pool:
        return np.array(pool.starmap(one_mean, [(i, seed, x) for i in range(n_boot)]))


def estimate_pi(n_draws, seed, n_processes=2):
    """Estimate pi by the mean of estimates of about 20 tasks."""
    sizes = [len(part) for part in np.array_split(np.arange(n_draws), min(21, n_draws))]
    with mp.Pool(processes=n_processes) as pool:
        estimates = pool.starmap(one_share, [(i, seed, n) for i, n in enumerate(sizes)])
    return float(np.mean(estimates))
