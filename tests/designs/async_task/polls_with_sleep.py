"""A process and a queue, asked again and again with asyncio.sleep() between; terminated if cancelled."""

import asyncio
import multiprocessing as mp
import queue


def call(task, output):
    """Process: put whether it raised, and what it returned or raised."""
    func, args, kwargs = task
    try:
        output.put((True, func(*args, **kwargs)))
    except Exception as error:
        output.put((False, error))


async def async_task(task):
    """Run a task in a process; return its result."""
    func = task[0]
    args, kwargs = (), {}
    for part in task[1:]:
        if isinstance(part, dict):
            kwargs = part
        else:
            args = part
    output = mp.Queue()
    process = mp.Process(target=call, args=((func, args, kwargs), output))
    process.start()
    try:
        while True:
            try:
                returned, value = output.get_nowait()
                break
            except queue.Empty:
                await asyncio.sleep(0.02)
    except asyncio.CancelledError:
        process.terminate()
        raise
    finally:
        while process.is_alive():
            await asyncio.sleep(0.01)
        process.join()
        process.close()
        output.close()
    if returned:
        return value
    raise value
