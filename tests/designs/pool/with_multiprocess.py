"""The package multiprocess, which has the same pools."""

import multiprocess as mp


def pool_map(func, items, n_processes=2, chunksize=None):
    """Apply a function to each item; returns the results in order."""
    with mp.Pool(processes=n_processes) as pool:
        results = pool.map(func, items, chunksize=chunksize)
        pool.close()
        pool.join()
    return results


def pool_starmap(func, arg_tuples, n_processes=2):
    """Call a function with each tuple of arguments; returns the results in order."""
    with mp.Pool(processes=n_processes) as pool:
        results = pool.starmap(func, arg_tuples)
        pool.close()
        pool.join()
    return results


def pool_start(func, items, n_processes=2):
    """Begin to apply a function to each item; returns a handle."""
    pool = mp.Pool(processes=n_processes)
    return {"pool": pool, "result": pool.map_async(func, items)}


def pool_finish(handle, timeout=None):
    """Return the results of pool_start(); raises TimeoutError if they are not there in time."""
    pool, result = handle["pool"], handle["result"]
    try:
        values = result.get(timeout=timeout)
    except mp.TimeoutError:
        raise
    except Exception:
        pool.close()
        pool.join()
        raise
    with pool:
        pool.close()
        pool.join()
    return values
