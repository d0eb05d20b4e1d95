"""ProcessPoolExecutor.map, which cancels what waits when a result raises."""

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


def mp_apply(tasks, n_processes=2):
    tasks = list(tasks)
    with ProcessPoolExecutor(n_processes) as ex:
        return list(ex.map(portable, [t[0] for t in tasks], [t[1] for t in tasks]))
