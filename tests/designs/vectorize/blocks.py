"""Blocks of rows and of draws, so that little memory is needed: the loops run over blocks, not over the data."""

import numpy as np

ROWS, DRAWS = 64, 65_536


def pairwise_sq_dists(x):
    """Return squared distances of all rows."""
    n = x.shape[0]
    out = np.empty((n, n))
    for start in range(0, n, ROWS):
        block = x[start : start + ROWS]
        out[start : start + ROWS] = ((block[:, None] - x) ** 2).sum(-1)
    return out


def estimate_pi_vectorized(n_draws, seed):
    """Estimate pi."""
    rng = np.random.default_rng(seed)
    inside = 0
    for start in range(0, n_draws, DRAWS):
        size = min(DRAWS, n_draws - start)
        inside += int((np.hypot(*rng.random((2, size))) <= 1).sum())
    return 4 * inside / n_draws
