"""The event loop's own executor, by hand; the function is wrapped by a decorator of its own."""

import asyncio
import functools


def named(function):
    """Decorate a coroutine function with one that is none, and gives its coroutine all the same."""

    @functools.wraps(function)
    def call(task):
        return function(task)

    return call


@named
async def async_task(task):
    """Run a task in a thread; return its result."""
    func, args, kwargs = task if len(task) == 3 else (*task, None)
    if kwargs is None:
        args, kwargs = ((), args) if isinstance(args, dict) else (args, {})
    loop = asyncio.get_running_loop()
    return await asyncio.create_task(wait_for(loop, functools.partial(func, *args, **kwargs)))


async def wait_for(loop, func):
    """Await a function without arguments."""
    return await loop.run_in_executor(None, func)
