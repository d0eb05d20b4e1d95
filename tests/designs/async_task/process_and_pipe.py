"""A process and a pipe that the event loop itself watches (add_reader)."""

import asyncio
import multiprocessing as mp


def run(task, conn):
    """Send (result, None) or (None, exception)."""
    func, *rest = task
    if len(rest) == 1:
        rest = [(), rest[0]] if isinstance(rest[0], dict) else [rest[0], {}]
    try:
        conn.send((func(*rest[0], **rest[1]), None))
    except Exception as error:
        conn.send((None, error))
    conn.close()


async def async_task(task):
    """Run a task in a process; return its result."""
    loop = asyncio.get_running_loop()
    reader, writer = mp.Pipe(duplex=False)
    process = mp.Process(target=run, args=(task, writer))
    process.start()
    writer.close()
    ready = asyncio.Event()
    loop.add_reader(reader.fileno(), ready.set)
    try:
        await ready.wait()
        loop.remove_reader(reader.fileno())
        result, error = await asyncio.to_thread(reader.recv)
    except asyncio.CancelledError:
        process.kill()
        raise
    finally:
        loop.remove_reader(reader.fileno())
        reader.close()
        process.join()
        process.close()
    if error is not None:
        raise error
    return result
