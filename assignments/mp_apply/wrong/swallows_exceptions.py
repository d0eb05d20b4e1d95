"""Puts the exception into the list of results instead of raising it."""

import pickle
from concurrent.futures import ProcessPoolExecutor, as_completed


def calculate(func, args):
    """Return func(*args)."""
    return func(*args)


def worker(input, output):
    """Compute tasks from `input` until 'STOP', put the results on `output`."""
    task = input.get()
    while task != "STOP":
        output.put(calculate(*task))
        task = input.get()


def safely(func, args):
    """Run a task; pickled here, so that neither result nor exception can get lost on the way."""
    try:
        return pickle.dumps(("result", calculate(func, args)))
    except BaseException as err:
        return pickle.dumps(("error", f"{type(err).__name__}: {err}"))


def mp_apply(tasks, n_processes=2):
    """Compute tasks in parallel with an executor; results come unordered."""
    results = []
    executor = ProcessPoolExecutor(n_processes)
    try:
        futures = [executor.submit(safely, *task) for task in tasks]
        for future in as_completed(futures):
            what, value = pickle.loads(future.result())
            results.append(value)
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
    return results
