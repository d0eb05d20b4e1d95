"""An executor of threads for each task, which is told to end and not waited for."""

import asyncio
from concurrent.futures import ThreadPoolExecutor


def run(task):
    """Run a task of any form."""
    match task:
        case (func, dict(kwargs)):
            return func(**kwargs)
        case (func, args):
            return func(*args)
        case (func, args, kwargs):
            return func(*args, **kwargs)


async def async_task(task):
    """Run a task in a thread; return its result."""
    executor = ThreadPoolExecutor(max_workers=1)
    try:
        return await asyncio.wrap_future(executor.submit(run, task))
    finally:
        executor.shutdown(wait=False)
