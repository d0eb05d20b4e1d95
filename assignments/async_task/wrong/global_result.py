"""Keeps the result in a global variable, so that tasks which run at the same time overwrite it."""

import asyncio
import threading

result = error = None


async def async_task(task):
    """Run a task in a thread; return its result."""
    func, args, kwargs = task if len(task) == 3 else (*task, {})
    if isinstance(args, dict):
        args, kwargs = (), args

    def run():
        # wrong: one pair for all tasks
        global result, error
        try:
            result, error = func(*args, **kwargs), None
        except Exception as caught:
            result, error = None, caught

    thread = threading.Thread(target=run)
    thread.start()
    while thread.is_alive():
        await asyncio.sleep(0.2)
    if error:
        raise error
    return result
