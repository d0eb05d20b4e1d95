"""ProcessPoolExecutor; a decorator hides the name of calculate(), so that it cannot be pickled any more."""

import pickle
from concurrent.futures import ProcessPoolExecutor, as_completed


def logged(function):
    """Decorate a function, without functools.wraps."""

    def inner(func, args):
        return function(func, args)

    return inner


@logged
def calculate(func, args):
    """Return func(*args)."""
    return func(*args)


def worker(input, output):
    """Compute tasks from `input` until 'STOP', put the results on `output`."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def calculate_portably(func, args):
    """As calculate(), but only raises what can be sent to another process."""
    try:
        return calculate(func, args)
    except BaseException as err:
        message = f"{type(err).__name__}: {err}"
        try:
            pickle.loads(pickle.dumps(err))
            portable = isinstance(err, Exception)
        except Exception:
            portable = False
        if portable:
            raise
    raise RuntimeError(message)


def mp_apply(tasks, n_processes=2):
    """Compute tasks in parallel; returns the unordered results."""
    executor = ProcessPoolExecutor(max_workers=n_processes)
    try:
        futures = [executor.submit(calculate_portably, func, args) for func, args in tasks]
        return [future.result() for future in as_completed(futures)]
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
