"""
Trusted solution of `pool`: work that a pool of processes shares, at once or in the background.

A pool is always closed and then joined, so that its workers end by their sentinel. Leaving a `with`
block would terminate them.

Stats 507
"""

# imports: --------------------------------------------------------------------
import multiprocessing as mp


# functions of the assignment: ------------------------------------------------
def pool_map(func, items, n_processes=2, chunksize=None):
    """
    Apply a function to each item, in a pool of processes.

    Parameters
    ----------
    func : callable
        A picklable function of one argument.
    items : iterable
        Its arguments.
    n_processes : int, optional
        The number of processes in the pool. The default is 2.
    chunksize : int, optional
        How many consecutive items a worker gets at a time. The default is None (leave it to the
        pool).

    Returns
    -------
    list
        One result per item, in the order of the items.
    """
    pool = mp.Pool(n_processes)
    try:
        return pool.map(func, items, chunksize)
    finally:
        shut_down(pool)


def pool_starmap(func, arg_tuples, n_processes=2):
    """
    Call a function with each tuple of arguments, in a pool of processes.

    Parameters
    ----------
    func : callable
        A picklable function.
    arg_tuples : iterable of tuples
        The positional arguments of each call.
    n_processes : int, optional
        The number of processes in the pool. The default is 2.

    Returns
    -------
    list
        One result per tuple, in the order of the tuples.
    """
    pool = mp.Pool(n_processes)
    try:
        return pool.starmap(func, arg_tuples)
    finally:
        shut_down(pool)


def pool_start(func, items, n_processes=2):
    """
    Begin to apply a function to each item, in a pool of processes, without waiting.

    To get the results use `pool_finish()`.

    Parameters
    ----------
    func, items, n_processes
        As for `pool_map()`.

    Returns
    -------
    tuple
        A handle for `pool_finish()`: the pool and its future results.
    """
    pool = mp.Pool(n_processes)
    future = pool.map_async(func, items)
    pool.close()
    return pool, future


def pool_finish(handle, timeout=None):
    """
    Wait for the results of `pool_start()`, and end its pool.

    Parameters
    ----------
    handle : tuple
        As returned by `pool_start()`.
    timeout : float, optional
        How many seconds to wait at most. The default is None (as long as it takes).

    Returns
    -------
    list
        One result per item, in the order of the items.

    Raises
    ------
    multiprocessing.TimeoutError
        If the results are not there in time. The work goes on: ask again.
    """
    pool, future = handle
    try:
        return future.get(timeout)
    finally:
        if future.ready():
            shut_down(pool)


# helpers: --------------------------------------------------------------------
def shut_down(pool):
    """Tell the workers of a pool to end when their work is done, and wait until they have."""
    pool.close()
    pool.join()
