"""Legacy generators of their own for each task, seeded by words of a seed sequence; a manager collects the results."""

import multiprocessing as mp

import numpy as np

TASKS = 20


def keys(seed):
    """Return the words that seed each task's generator."""
    return [child.generate_state(4) for child in np.random.SeedSequence(seed).spawn(TASKS)]


def cut(total):
    """Return the sizes of the tasks."""
    return np.diff(np.linspace(0, total, TASKS + 1).astype(int))


def boot(found, i, x, n, key):
    """Put the means of n samples where they belong."""
    rng = np.random.RandomState(key)
    found[i] = [np.mean(x[rng.randint(0, len(x), len(x))]) for _ in range(n)]


def hits(found, i, n, key):
    """Put the number of points in the circle where it belongs."""
    rng = np.random.RandomState(key)
    found[i] = int(np.sum(rng.rand(n) ** 2 + rng.rand(n) ** 2 <= 1))


def collect(task, jobs, n_processes):
    """Return what the tasks have put, in order."""
    with mp.Manager() as manager:
        found = manager.dict()
        with mp.Pool(n_processes) as pool:
            pool.starmap(task, [(found, i, *job) for i, job in enumerate(jobs)])
            pool.close()
            pool.join()
        return [found[i] for i in range(len(jobs))]


def bootstrap_means(x, n_boot, seed, n_processes=2):
    """Return the means of n_boot bootstrap samples of x."""
    x = np.asarray(x)
    return np.array(sum(collect(boot, [(x, n, k) for n, k in zip(cut(n_boot), keys(seed))], n_processes), []))


def estimate_pi(n_draws, seed, n_processes=2):
    """Estimate pi."""
    return sum(collect(hits, list(zip(cut(n_draws), keys(seed))), n_processes)) * 4 / n_draws
