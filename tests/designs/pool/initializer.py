"""The workers are given the function once, by their initializer, and send results with an index."""

import multiprocessing as mp

FUNC = None


def set_func(func):
    """Keep the function in a worker."""
    global FUNC
    FUNC = func


def numbered(pair):
    """Return the index of an item and its result."""
    index, item = pair
    return index, FUNC(item)


def starred(pair):
    """Return the index of a tuple of arguments and its result."""
    index, args = pair
    return index, FUNC(*args)


def in_order(pairs):
    """Return the results of (index, result) pairs by index."""
    return [value for _, value in sorted(pairs, key=lambda pair: pair[0])]


def pool_map(func, items, n_processes=2, chunksize=None):
    """Apply a function to each item; returns the results in order."""
    pool = mp.Pool(n_processes, initializer=set_func, initargs=(func,))
    try:
        size = {} if chunksize is None else {"chunksize": chunksize}
        return in_order(pool.imap_unordered(numbered, enumerate(items), **size))
    except Exception:
        pool.terminate()
        raise
    finally:
        pool.close()
        pool.join()


def pool_starmap(func, arg_tuples, n_processes=2):
    """Call a function with each tuple of arguments; returns the results in order."""
    pool = mp.Pool(n_processes, initializer=set_func, initargs=(func,))
    try:
        return in_order(pool.imap_unordered(starred, enumerate(arg_tuples)))
    except Exception:
        pool.terminate()
        raise
    finally:
        pool.close()
        pool.join()


def pool_start(func, items, n_processes=2):
    """Begin to apply a function to each item; returns a handle."""
    pool = mp.Pool(n_processes, initializer=set_func, initargs=(func,))
    return pool, pool.map_async(numbered, list(enumerate(items)), chunksize=1)


def pool_finish(handle, timeout=None):
    """Return the results of pool_start(); raises TimeoutError if they are not there in time."""
    pool, result = handle
    try:
        return in_order(result.get(timeout))
    finally:
        if result.ready():
            pool.close()
            pool.join()
