"""One `apply_async()` for each chunk; the results are collected in the order of submission."""

import math
import multiprocessing as mp
import time


def run_chunk(func, chunk):
    """Apply a function to each of some items."""
    return [func(item) for item in chunk]


def call(func, args):
    """Call a function with a tuple of arguments."""
    return func(*args)


def cut(items, size):
    """Cut a list into consecutive runs of *size* items."""
    return [items[start : start + size] for start in range(0, len(items), size)]


def pool_map(func, items, n_processes=2, chunksize=None):
    """Apply a function to each item; returns the results in order."""
    items = list(items)
    if chunksize is None:
        # as Pool.map does
        chunksize = max(1, math.ceil(len(items) / (4 * n_processes)))
    pool = mp.Pool(n_processes)
    try:
        parts = [pool.apply_async(run_chunk, (func, chunk)) for chunk in cut(items, chunksize)]
        return [value for part in parts for value in part.get()]
    finally:
        pool.close()
        pool.join()


def pool_starmap(func, arg_tuples, n_processes=2):
    """Call a function with each tuple of arguments; returns the results in order."""
    pool = mp.Pool(n_processes)
    try:
        futures = [pool.apply_async(func, args) for args in arg_tuples]
        return [future.get() for future in futures]
    finally:
        pool.close()
        pool.join()


def pool_start(func, items, n_processes=2):
    """Begin to apply a function to each item; returns a handle."""
    pool = mp.Pool(n_processes)
    futures = [pool.apply_async(func, (item,)) for item in items]
    pool.close()
    return [pool, futures]


def pool_finish(handle, timeout=None):
    """Return the results of pool_start(); raises TimeoutError if they are not there in time."""
    pool, futures = handle
    deadline = None if timeout is None else time.monotonic() + timeout
    for future in futures:
        future.wait(None if deadline is None else max(0, deadline - time.monotonic()))
        if not future.ready():
            raise TimeoutError(f"not done within {timeout} s")
    pool.join()
    return [future.get() for future in futures]
