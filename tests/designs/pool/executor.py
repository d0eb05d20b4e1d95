"""The pool is a `ProcessPoolExecutor`."""

import time
from concurrent.futures import ProcessPoolExecutor, wait


def pool_map(func, items, n_processes=2, chunksize=None):
    """Apply a function to each item; returns the results in order."""
    with ProcessPoolExecutor(n_processes) as executor:
        return list(executor.map(func, items, chunksize=1 if chunksize is None else chunksize))


def pool_starmap(func, arg_tuples, n_processes=2):
    """Call a function with each tuple of arguments; returns the results in order."""
    with ProcessPoolExecutor(n_processes) as executor:
        futures = [executor.submit(func, *args) for args in arg_tuples]
        return [future.result() for future in futures]


def pool_start(func, items, n_processes=2):
    """Begin to apply a function to each item; returns a handle."""
    executor = ProcessPoolExecutor(n_processes)
    futures = [executor.submit(func, item) for item in items]
    return executor, futures


def pool_finish(handle, timeout=None):
    """Return the results of pool_start(); raises TimeoutError if they are not there in time."""
    executor, futures = handle
    end = None if timeout is None else time.monotonic() + timeout
    for future in futures:
        left = None if end is None else max(0, end - time.monotonic())
        # an exception of an item is no time-out, even if it is called so
        if not wait([future], left).done:
            raise TimeoutError("not all items are done")
    executor.shutdown()
    return [future.result() for future in futures]
