"""Python's own generator, seeded by a text that names the seed and the block; workers of a Pool."""

import multiprocessing as mp
import random

import numpy as np


def means(args):
    """Return the means of the samples of a block."""
    x, n, name = args
    rng = random.Random(name)
    return [np.mean(rng.choices(x, k=len(x))) for _ in range(n)]


def inside(args):
    """Return how many of n points are in the circle."""
    n, name = args
    rng = random.Random(name)
    return sum(rng.random() ** 2 + rng.random() ** 2 <= 1 for _ in range(n))


def blocks(total, size):
    """Return the sizes of blocks."""
    return [min(size, total - start) for start in range(0, total, size)]


def pooled(func, work, n_processes):
    """Return func of each piece of work, in order."""
    pool = mp.Pool(min(n_processes, len(work)))
    try:
        return list(pool.imap(func, work))
    finally:
        pool.close()
        pool.join()


def bootstrap_means(x, n_boot, seed, n_processes=2):
    """Return the means of n_boot bootstrap samples."""
    x = list(x)
    work = [(x, n, f"means {seed} {i}") for i, n in enumerate(blocks(n_boot, 13))]
    return np.array(sum(pooled(means, work, n_processes), []))


def estimate_pi(n_draws, seed, n_processes=2):
    """Return an estimate of pi."""
    work = [(n, f"pi {seed} {i}") for i, n in enumerate(blocks(n_draws, 50_000))]
    return 4.0 * sum(pooled(inside, work, n_processes)) / n_draws
