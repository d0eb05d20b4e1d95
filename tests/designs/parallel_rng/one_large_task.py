"""Tasks so large that one is enough for few samples: an executor starts one process for it."""

from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np

BLOCK = 1000
DRAWS = 1_000_000


def blocks(total, size):
    """Return the sizes of blocks; the last one may be smaller."""
    return [min(size, total - start) for start in range(0, total, size)]


def one_block(size, seed_seq, x):
    """Return the means of `size` bootstrap samples."""
    rng = np.random.Generator(np.random.PCG64(seed_seq))
    return [rng.choice(x, size=len(x), replace=True).mean() for _ in range(size)]


def in_circle(size, seed_seq):
    """Return the share of points in the circle, and how many points there were."""
    rng = np.random.default_rng(seed_seq)
    a, b = rng.random(size), rng.random(size)
    return np.mean(np.hypot(a, b) <= 1), size


def bootstrap_means(x, n_boot, seed, n_processes=2):
    """Return the means of n_boot bootstrap samples of x."""
    sizes = blocks(n_boot, BLOCK)
    seeds = np.random.SeedSequence(seed).spawn(len(sizes))
    with ProcessPoolExecutor(max_workers=n_processes) as pool:
        return np.hstack(list(pool.map(partial(one_block, x=np.asarray(x)), sizes, seeds)))


def estimate_pi(n_draws, seed, n_processes=2):
    """Estimate pi."""
    sizes = blocks(n_draws, DRAWS)
    seeds = np.random.SeedSequence(seed).spawn(len(sizes))
    with ProcessPoolExecutor(n_processes) as pool:
        futures = [pool.submit(in_circle, size, child) for size, child in zip(sizes, seeds)]
        shares = [future.result() for future in futures]
    return 4 * np.average([share for share, _ in shares], weights=[size for _, size in shares])
