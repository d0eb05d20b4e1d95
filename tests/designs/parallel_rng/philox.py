"""A counter-based generator: the key is the seed, the counter begins at the task; a process for each share of the tasks."""

import multiprocessing as mp

import numpy as np

STREAMS = 8


def stream(seed, i):
    """Return the generator of task i."""
    return np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, 0, i]))


def share(conn, kind, tasks):
    """Compute tasks and send their results, as the target of a process."""
    with conn:
        for i, args in tasks:
            conn.send((i, kind(*args)))


def boot(x, n, seed, i):
    """Return the means of n samples."""
    rng = stream(seed, i)
    return rng.choice(x, size=(n, len(x))).mean(axis=-1)


def points(n, seed, i):
    """Return how many of n points are in the circle."""
    xy = stream(seed, i).random(size=(n, 2))
    return np.sum(np.linalg.norm(xy, axis=1) <= 1)


def spread(kind, jobs, n_processes):
    """Deal the jobs out to processes; return their results in order."""
    running = []
    for k in range(n_processes):
        here, there = mp.Pipe(duplex=False)
        mine = [(i, args) for i, args in enumerate(jobs) if i % n_processes == k]
        p = mp.Process(target=share, args=(there, kind, mine))
        p.start()
        there.close()
        running.append((p, here, len(mine)))
    results = [None] * len(jobs)
    for p, here, count in running:
        for _ in range(count):
            i, value = here.recv()
            results[i] = value
        p.join()
        here.close()
    return results


def sizes(total):
    """Return the sizes of the tasks."""
    return [total // STREAMS + (i < total % STREAMS) for i in range(STREAMS)]


def bootstrap_means(x, n_boot, seed, n_processes=2):
    """Return the means of n_boot bootstrap samples of x."""
    jobs = [(x, n, seed, i) for i, n in enumerate(sizes(n_boot))]
    return np.concatenate(spread(boot, jobs, n_processes))


def estimate_pi(n_draws, seed, n_processes=2):
    """Estimate pi."""
    jobs = [(n, seed, i) for i, n in enumerate(sizes(n_draws))]
    return float(4 * sum(spread(points, jobs, n_processes)) / n_draws)
