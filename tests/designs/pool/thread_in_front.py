"""pool_start() lets a thread call pool_map(); pool_finish() joins the thread."""

import multiprocessing as mp
import threading


def pool_map(func, items, n_processes=2, chunksize=None):
    """Apply a function to each item; returns the results in order."""
    return mapped("map", func, items, n_processes, chunksize)


def pool_starmap(func, arg_tuples, n_processes=2):
    """Call a function with each tuple of arguments; returns the results in order."""
    return mapped("starmap", func, arg_tuples, n_processes)


def mapped(how, func, items, n_processes, chunksize=None):
    """Give work to a pool, then close and join it."""
    pool = mp.Pool(n_processes)
    try:
        return getattr(pool, how)(func, items, chunksize)
    finally:
        pool.close()
        pool.join()


def pool_start(func, items, n_processes=2):
    """Begin to apply a function to each item; returns a handle."""
    box = {}

    def work():
        try:
            box["values"] = pool_map(func, items, n_processes)
        except BaseException as error:
            box["error"] = error

    thread = threading.Thread(target=work)
    thread.start()
    return thread, box


def pool_finish(handle, timeout=None):
    """Return the results of pool_start(); raises TimeoutError if they are not there in time."""
    thread, box = handle
    thread.join(timeout)
    if thread.is_alive():
        raise TimeoutError("still at work")
    if "error" in box:
        raise box["error"]
    return box["values"]
