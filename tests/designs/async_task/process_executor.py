"""A pool of one process for each task, left by `with`; as Python's own documentation shows it."""

import asyncio
import functools
from concurrent.futures import ProcessPoolExecutor


async def async_task(task):
    """Run a task in a process; return its result."""
    func, *rest = task
    args = next((part for part in rest if not isinstance(part, dict)), ())
    kwargs = next((part for part in rest if isinstance(part, dict)), {})
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(max_workers=1) as pool:
        return await loop.run_in_executor(pool, functools.partial(func, *args, **kwargs))
