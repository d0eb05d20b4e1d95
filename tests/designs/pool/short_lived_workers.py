"""Each worker does one chunk and is then replaced by a new one: `maxtasksperchild`."""

import multiprocessing as mp


def pool_of(n_processes):
    """Return a pool whose workers do one chunk each."""
    return mp.Pool(n_processes, maxtasksperchild=1)


def pool_map(func, items, n_processes=2, chunksize=None):
    """Apply a function to each item; returns the results in order."""
    pool = pool_of(n_processes)
    try:
        return pool.map(func, items, chunksize)
    finally:
        pool.close()
        pool.join()


def pool_starmap(func, arg_tuples, n_processes=2):
    """Call a function with each tuple of arguments; returns the results in order."""
    pool = pool_of(n_processes)
    try:
        return pool.starmap(func, arg_tuples)
    finally:
        pool.close()
        pool.join()


def pool_start(func, items, n_processes=2):
    """Begin to apply a function to each item; returns a handle."""
    pool = pool_of(n_processes)
    return pool, pool.map_async(func, items)


def pool_finish(handle, timeout=None):
    """Return the results of pool_start(); raises TimeoutError if they are not there in time."""
    pool, result = handle
    result.wait(timeout)
    if not result.ready():
        raise mp.TimeoutError
    pool.close()
    pool.join()
    return result.get()
