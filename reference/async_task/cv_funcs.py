"""
Trusted solution of `async_task`: a task in a thread, awaited in the event loop.

The thread comes from the event loop's own executor, which the loop shuts down when it ends.

Stats 507
"""

# imports: --------------------------------------------------------------------
import asyncio


# functions of the assignment: ------------------------------------------------
async def async_task(task):
    """
    Run a task without blocking the event loop, and return its result.

    Parameters
    ----------
    task : tuple
        `(func, args)`, `(func, kwargs)` or `(func, args, kwargs)`: a callable, a tuple of
        positional arguments, a dictionary of keyword arguments.

    Returns
    -------
    object
        What the callable returns. Its exception is raised.
    """
    func, args, kwargs = parts(task)
    return await asyncio.to_thread(func, *args, **kwargs)


# helpers: --------------------------------------------------------------------
def parts(task):
    """Return the callable of a task, its positional and its keyword arguments."""
    func, *rest = task
    if len(rest) == 2:
        return func, *rest
    (given,) = rest
    return (func, (), given) if isinstance(given, dict) else (func, given, {})


# 79: -------------------------------------------------------------------------
