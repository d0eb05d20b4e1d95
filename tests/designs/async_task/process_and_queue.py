"""The lecture's process and queue; a coroutine that looks for the result now and then."""

import asyncio
import multiprocessing as mp
import queue


def worker(task, out):
    """Put (True, result), or (False, exception), on the queue."""
    func, *rest = task
    args = () if isinstance(rest[0], dict) else rest[0]
    kwargs = rest[-1] if isinstance(rest[-1], dict) else {}
    try:
        out.put((True, func(*args, **kwargs)))
    except Exception as error:
        out.put((False, error))


async def async_task(task):
    """Run a task in a process; return its result."""
    out = mp.Queue()
    p = mp.Process(target=worker, args=(task, out))
    p.start()
    try:
        while True:
            try:
                ok, value = out.get_nowait()
                break
            except queue.Empty:
                await asyncio.sleep(0.02)
    except asyncio.CancelledError:
        p.terminate()
        raise
    finally:
        p.join()
    if ok:
        return value
    raise value
