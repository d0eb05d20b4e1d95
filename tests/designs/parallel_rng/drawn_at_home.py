"""One generator in the caller draws a seed of 128 bits for each task, and imap hands out the tasks."""

import multiprocessing as mp
import random

import numpy as np

PIECE = 10_000


def boot_star(args):
    """Return the mean of one sample, drawn by the standard library."""
    x, key = args
    rng = random.Random(key)
    return sum(rng.choices(x, k=len(x))) / len(x)


def pi_star(args):
    """Return the number of points in the circle, and of all points."""
    n, key = args
    rng = random.Random(key)
    inside = 0
    for _ in range(n):
        a, b = rng.random(), rng.random()
        inside += a * a + b * b <= 1
    return inside, n


def bootstrap_means(x, n_boot, seed, n_processes=2):
    """Return the means of n_boot bootstrap samples of x."""
    master = random.Random(seed)
    jobs = [(list(x), master.getrandbits(128)) for _ in range(n_boot)]
    pool = mp.Pool(n_processes)
    try:
        means = list(pool.imap(boot_star, jobs, chunksize=8))
    finally:
        pool.close()
        pool.join()
    return np.fromiter(means, dtype=np.float64)


def estimate_pi(n_draws, seed, n_processes=2):
    """Estimate pi; the order in which counts arrive changes nothing."""
    master = random.Random(seed)
    jobs = [
        (min(PIECE, n_draws - start), master.getrandbits(128))
        for start in range(0, n_draws, PIECE)
    ]
    pool = mp.Pool(n_processes)
    try:
        inside = sum(count for count, _ in pool.imap_unordered(pi_star, jobs))
    finally:
        pool.close()
        pool.join()
    return 4 * inside / n_draws
