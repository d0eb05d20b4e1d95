"""Streams far apart in one generator, jumped(i), and the queue pattern with an index for each result."""

import multiprocessing as mp

import numpy as np

PARTS = 12


def parts(total):
    """Return (start, end) of each part."""
    edges = [total * k // PARTS for k in range(PARTS + 1)]
    return list(zip(edges, edges[1:]))


def boot(x, n, seed, i):
    """Return the means of n samples, of stream i."""
    rng = np.random.Generator(np.random.PCG64(seed).jumped(i))
    return [x[rng.integers(len(x), size=len(x))].mean() for _ in range(n)]


def hits(n, seed, i):
    """Return how many of n points are in the circle, of stream i."""
    rng = np.random.Generator(np.random.PCG64(seed).jumped(i))
    u = rng.random((2, n))
    return int(((u**2).sum(axis=0) < 1).sum())


def worker(input, output):
    """Compute tasks from `input` until 'STOP'."""
    for i, func, args in iter(input.get, "STOP"):
        output.put((i, func(*args)))


def run(tasks, n_processes):
    """Return the results of the tasks, in order."""
    task_queue, done_queue = mp.Queue(), mp.Queue()
    workers = [mp.Process(target=worker, args=(task_queue, done_queue)) for _ in range(n_processes)]
    for p in workers:
        p.start()
    for i, (func, args) in enumerate(tasks):
        task_queue.put((i, func, args))
    for _ in workers:
        task_queue.put("STOP")
    results = dict(done_queue.get() for _ in tasks)
    for p in workers:
        p.join()
    return [results[i] for i in range(len(tasks))]


def bootstrap_means(x, n_boot, seed, n_processes=2):
    """Return the means of n_boot bootstrap samples of x."""
    tasks = [(boot, (x, b - a, seed, i)) for i, (a, b) in enumerate(parts(n_boot))]
    return np.array(sum(run(tasks, n_processes), []), dtype=float)


def estimate_pi(n_draws, seed, n_processes=2):
    """Estimate pi."""
    tasks = [(hits, (b - a, seed, i)) for i, (a, b) in enumerate(parts(n_draws))]
    return 4.0 * sum(run(tasks, n_processes)) / n_draws
