"""ProcessPoolExecutor with a window: no more than 2n futures at a time, wait(FIRST_COMPLETED)."""

import concurrent.futures as cf
import itertools
import multiprocessing as mp


def calculate(func, args):
    return func(*args)


def worker(input, output):
    task = input.get()
    while task != "STOP":
        func, args = task
        output.put(calculate(func, args))
        task = input.get()


def calculate_or_explain(func, args):
    try:
        return True, calculate(func, args)
    except BaseException as err:
        return False, f"{type(err).__name__}: {err}"


def mp_apply(tasks, n_processes=2):
    """Compute tasks in parallel with an executor.

    Parameters
    ----------
    tasks : iterable of (func, args)
    n_processes : int, optional

    Returns
    -------
    list
        The results, unordered.
    """
    tasks = iter(tasks)
    results = []
    executor = cf.ProcessPoolExecutor(n_processes, mp_context=mp.get_context())

    def submit(n):
        return {executor.submit(calculate_or_explain, *t) for t in itertools.islice(tasks, n)}

    try:
        pending = submit(2 * n_processes)
        while pending:
            done, pending = cf.wait(pending, return_when=cf.FIRST_COMPLETED)
            for future in done:
                ok, value = future.result()
                if not ok:
                    raise RuntimeError(value)
                results.append(value)
            pending |= submit(len(done))
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
    return results
