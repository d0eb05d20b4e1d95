"""A stream for each sample, by a spawn key; workers take numbers of blocks from a queue."""

import multiprocessing as mp

import numpy as np

BLOCK = 7000


def stream(seed, what, number):
    """Return the generator of one sample, or of one block of points."""
    return np.random.Generator(
        np.random.SFC64(np.random.SeedSequence(seed, spawn_key=(what, number)))
    )


def one_mean(x, seed, number):
    """Return the mean of one bootstrap sample."""
    return stream(seed, 1, number).choice(x, size=len(x), replace=True).mean()


def one_block(n, seed, number):
    """Return how many points of a block are in the circle."""
    rng = stream(seed, 2, number)
    x, y = rng.uniform(-1, 1, n), rng.uniform(-1, 1, n)
    return int(np.sum(np.hypot(x, y) < 1))


def worker(tasks, results):
    """Process: compute tasks until None."""
    for number, func, args in iter(tasks.get, None):
        results.put((number, func(*args, number)))


def run(calls, n_processes):
    """Return the results of the calls in order."""
    tasks, results = mp.Queue(), mp.Queue()
    workers = [mp.Process(target=worker, args=(tasks, results)) for _ in range(n_processes)]
    for p in workers:
        p.start()
    for number, (func, args) in enumerate(calls):
        tasks.put((number, func, args))
    for _ in workers:
        tasks.put(None)
    found = dict(results.get() for _ in calls)
    for p in workers:
        p.join()
        p.close()
    for queue in (tasks, results):
        queue.close()
        queue.join_thread()
    return [found[number] for number in range(len(calls))]


def bootstrap_means(x, n_boot, seed, n_processes=2):
    """Return the means of n_boot bootstrap samples."""
    return np.array(run([(one_mean, (x, seed))] * n_boot, n_processes))


def estimate_pi(n_draws, seed, n_processes=2):
    """Return an estimate of pi."""
    full, rest = divmod(n_draws, BLOCK)
    sizes = [BLOCK] * full + [rest] * (rest > 0)
    return 4 * sum(run([(one_block, (n, seed)) for n in sizes], n_processes)) / n_draws
