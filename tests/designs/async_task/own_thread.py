"""A thread of its own for each task, which hands the result to the loop in the loop's own thread."""

import asyncio
import threading


async def async_task(task):
    """Run a task in a thread; return its result."""
    func, *rest = task
    if len(rest) == 1:
        rest = [(), rest[0]] if isinstance(rest[0], dict) else [rest[0], {}]
    args, kwargs = rest
    loop = asyncio.get_running_loop()
    done = loop.create_future()

    def tell(set_it, what):
        if not done.cancelled():
            set_it(what)

    def work():
        try:
            told = (done.set_result, func(*args, **kwargs))
        except BaseException as error:
            told = (done.set_exception, error)
        try:
            loop.call_soon_threadsafe(tell, *told)
        except RuntimeError:  # nobody waits any more: the loop is closed
            pass

    thread = threading.Thread(target=work)
    thread.start()
    result = await done
    await asyncio.to_thread(thread.join)
    return result
