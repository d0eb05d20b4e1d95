"""
A function to await tasks without blocking the event loop.

Stats 507
"""

# imports: --------------------------------------------------------------------
import asyncio
import time


# functions: ------------------------------------------------------------------
async def async_task(task):
    """
    Run a task in the background, and return its result when it is awaited.

    Parameters
    ----------
    task : tuple
        `(func, args)`, `(func, kwargs)` or `(func, args, kwargs)`: a picklable callable, a tuple of
        positional arguments, a dictionary of keyword arguments.

    Returns
    -------
    object
        The result of the task.

    Raises
    ------
    Exception
        The one that the task has raised.
    """
    raise NotImplementedError


async def main():
    """Await three tasks at the same time, and count meanwhile."""
    naps = asyncio.gather(*(async_task((time.sleep, (1,))) for _ in range(3)))
    seconds = 0.0
    while not naps.done():
        print(f"the loop goes on: {seconds:.1f} s")
        await asyncio.sleep(0.1)
        seconds += 0.1
    print(await naps)


# Try your function here; this does not run when the module is imported.
if __name__ == "__main__":
    asyncio.run(main(), debug=True)
