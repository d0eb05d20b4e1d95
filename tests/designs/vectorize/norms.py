"""numpy.linalg.norm of an outer difference; points in blocks of a million."""

import numpy as np


def pairwise_sq_dists(x):
    """Return the squared distances of all rows."""
    x = np.atleast_2d(np.asarray(x))
    outer = np.stack([np.subtract.outer(column, column) for column in x.T], axis=-1)
    return np.linalg.norm(outer, axis=-1) ** 2


def estimate_pi_vectorized(n_draws, seed):
    """Return an estimate of pi."""
    rng = np.random.default_rng(seed)
    inside = 0
    for start in range(0, n_draws, 1_000_000):
        xy = rng.random((min(1_000_000, n_draws - start), 2), dtype=np.float32)
        inside += np.count_nonzero(np.einsum("ij,ij->i", xy, xy) <= 1)
    return 4 * inside / n_draws
