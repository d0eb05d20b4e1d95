"""The results are taken from `imap()` one by one; the handle keeps those that have come by now."""

import multiprocessing as mp
import time
from contextlib import contextmanager


@contextmanager
def pool_of(n_processes):
    """Make a pool; close and join it at the end."""
    pool = mp.Pool(n_processes)
    try:
        yield pool
    finally:
        pool.close()
        pool.join()


def pool_map(func, items, n_processes=2, chunksize=None):
    """Apply a function to each item; returns the results in order."""
    with pool_of(n_processes) as pool:
        if chunksize is None:
            return list(pool.imap(func, items))
        return list(pool.imap(func, items, chunksize))


def star(pair):
    """Call a function with a tuple of arguments."""
    func, args = pair
    return func(*args)


def pool_starmap(func, arg_tuples, n_processes=2):
    """Call a function with each tuple of arguments; returns the results in order."""
    with pool_of(n_processes) as pool:
        return list(pool.imap(star, [(func, args) for args in arg_tuples]))


class Work:
    """A pool, its coming results, and those that are here."""

    def __init__(self, pool, coming):
        self.pool = pool
        self.coming = coming
        self.here = []


def pool_start(func, items, n_processes=2):
    """Begin to apply a function to each item; returns a handle."""
    pool = mp.Pool(n_processes)
    work = Work(pool, pool.imap(func, list(items)))
    pool.close()
    return work


def pool_finish(handle, timeout=None):
    """Return the results of pool_start(); raises TimeoutError if they are not there in time."""
    end = None if timeout is None else time.monotonic() + timeout
    try:
        while True:
            left = None if end is None else max(0.0, end - time.monotonic())
            handle.here.append(handle.coming.next(left))
    except StopIteration:
        handle.pool.join()
        return list(handle.here)
    except mp.TimeoutError:
        raise TimeoutError("the work is not done yet") from None
    except Exception:
        handle.pool.join()
        raise
