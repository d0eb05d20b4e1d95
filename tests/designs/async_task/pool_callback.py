"""A Pool whose callbacks hand the result to the event loop."""

import asyncio
from multiprocessing import Pool


async def async_task(task):
    """Run a task in a process; return its result."""
    func, first, *more = task
    args, kwargs = ((), first) if isinstance(first, dict) else (first, *(more or [{}]))
    loop = asyncio.get_running_loop()
    future = loop.create_future()

    def settle(method, value):
        if not future.done():
            method(value)

    pool = Pool(processes=1)
    try:
        pool.apply_async(
            func,
            args,
            kwargs,
            callback=lambda value: loop.call_soon_threadsafe(settle, future.set_result, value),
            error_callback=lambda e: loop.call_soon_threadsafe(settle, future.set_exception, e),
        )
        result = await future
        pool.close()
        return result
    finally:
        pool.terminate()
        pool.join()
