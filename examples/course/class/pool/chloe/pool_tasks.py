# Chloe, pools
import multiprocessing as mp


def pool_map(func, items, n_processes=2, chunksize=None):
    with mp.Pool(n_processes) as pool:
        return pool.map(func, items, chunksize)


def pool_starmap(func, arg_tuples, n_processes=2):
    with mp.Pool(n_processes) as pool:
        return pool.starmap(func, arg_tuples)


def pool_start(func, items, n_processes=2):
    pool = mp.Pool(n_processes)
    return pool, pool.map_async(func, items)


def pool_finish(handle, timeout=None):
    pool, result = handle
    values = result.get(timeout)
    pool.terminate()
    return values
