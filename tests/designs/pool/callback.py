"""Callbacks fill a list and set an event, for which pool_finish() waits; contexts by name."""

import multiprocessing
import threading


class Background:
    """Work of a pool, with its results when they are there."""

    def __init__(self, func, items, n_processes):
        self.done = threading.Event()
        self.values = None
        self.error = None
        self.pool = multiprocessing.get_context().Pool(n_processes)
        items = list(items)
        if items:
            self.pool.map_async(func, items, callback=self.keep, error_callback=self.fail)
        else:  # no callback is called
            self.keep([])
        self.pool.close()

    def keep(self, values):
        """Take the results."""
        self.values = values
        self.done.set()

    def fail(self, error):
        """Take the exception of an item."""
        self.error = error
        self.done.set()


def pool_map(func, items, n_processes=2, chunksize=None):
    """Apply a function to each item; returns the results in order."""
    pool = multiprocessing.get_context().Pool(n_processes)
    result = pool.map_async(func, items, chunksize=chunksize)
    pool.close()
    pool.join()
    return result.get()


def pool_starmap(func, arg_tuples, n_processes=2):
    """Call a function with each tuple of arguments; returns the results in order."""
    pool = multiprocessing.get_context().Pool(n_processes)
    result = pool.starmap_async(func, arg_tuples)
    pool.close()
    pool.join()
    return result.get()


def pool_start(func, items, n_processes=2):
    """Begin to apply a function to each item; returns a handle."""
    return Background(func, items, n_processes)


def pool_finish(handle, timeout=None):
    """Return the results of pool_start(); raises TimeoutError if they are not there in time."""
    if not handle.done.wait(timeout):
        raise TimeoutError("not all results are there")
    handle.pool.join()
    if handle.error is not None:
        raise handle.error
    return handle.values
