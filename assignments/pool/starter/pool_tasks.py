"""
Functions that share work in a pool of processes, at once or in the background.

Stats 507
"""

# imports: --------------------------------------------------------------------
import multiprocessing as mp
import time


# functions: ------------------------------------------------------------------
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
    raise NotImplementedError


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
    raise NotImplementedError


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
    object
        A handle for `pool_finish()`.
    """
    raise NotImplementedError


def pool_finish(handle, timeout=None):
    """
    Wait for the results of `pool_start()`, and end its pool.

    Parameters
    ----------
    handle : object
        As returned by `pool_start()`.
    timeout : float, optional
        How many seconds to wait at most. The default is None (as long as it takes).

    Returns
    -------
    list
        One result per item, in the order of the items.

    Raises
    ------
    TimeoutError
        If the results are not there in time; Python's, or that of `multiprocessing`. The work goes
        on, and this function can be called again.
    """
    raise NotImplementedError


# Try your functions here; this does not run when the module is imported.
def slow_square(x):
    """Return the square of a number, after a while."""
    time.sleep(0.5)
    return x * x


if __name__ == "__main__":
    print(pool_map(slow_square, range(6), chunksize=3))
    print(pool_starmap(pow, [(2, 3), (3, 2)]))
    handle = pool_start(slow_square, range(6))
    try:
        print(pool_finish(handle, timeout=0.1))
    except (TimeoutError, mp.TimeoutError):
        print("not there yet")
    print(pool_finish(handle))
    print("children left:", mp.active_children())
