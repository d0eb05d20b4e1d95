"""A Pool of one process, all of whose waiting is done in a thread."""

import asyncio
import multiprocessing as mp


def in_pool(func, args=(), kwargs=None):
    """Run a function in a pool of one process; close and join the pool."""
    pool = mp.Pool(1)
    try:
        return pool.apply(func, args, kwargs or {})
    finally:
        pool.close()
        pool.join()


async def async_task(task):
    """Run a task in a process; return its result."""
    func, *rest = task
    if len(rest) == 1 and isinstance(rest[0], dict):
        rest.insert(0, ())
    return await asyncio.to_thread(in_pool, func, *rest)
