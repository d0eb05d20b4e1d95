"""An event loop of its own that awaits what a ProcessPoolExecutor computes."""

import asyncio
import pickle
from concurrent.futures import ProcessPoolExecutor


def calculate(func, args):
    return func(*args)


def worker(input, output):
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def portable(func, args):
    try:
        return calculate(func, args)
    except Exception as e:
        try:
            pickle.loads(pickle.dumps(e))
        except Exception:
            raise RuntimeError(repr(type(e)) + " " + str(e)) from None
        raise


async def _apply(tasks, n):
    loop = asyncio.get_running_loop()
    ex = ProcessPoolExecutor(n)
    try:
        return list(await asyncio.gather(*(loop.run_in_executor(ex, portable, f, a) for f, a in tasks)))
    finally:
        ex.shutdown(cancel_futures=True)


def mp_apply(tasks, n_processes=2):
    return asyncio.run(_apply(list(tasks), n_processes))
