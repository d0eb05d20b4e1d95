"""Brings exceptions back, but waits for ever for the result of a worker that has died."""

import multiprocessing as mp
import pickle
from itertools import islice


def calculate(func, args):
    """Return func(*args)."""
    return func(*args)


def worker(input, output):
    """Compute tasks from `input` until 'STOP', put the results on `output`."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def attempt(func, args):
    """Run a task; returns (ok, result or message), pickled."""
    try:
        return pickle.dumps((True, calculate(func, args)))
    except BaseException as err:
        return pickle.dumps((False, f"{type(err).__name__}: {err}"))


def mp_apply(tasks, n_processes=2):
    """Compute tasks in parallel; returns the unordered results."""
    tasks = iter(tasks)
    first = list(islice(tasks, n_processes))
    task_queue = mp.Queue()
    done_queue = mp.Queue()
    processes = [mp.Process(target=worker, args=(task_queue, done_queue)) for _ in first]
    for p in processes:
        p.start()
    for task in first:
        task_queue.put((attempt, task))

    # get results, hand out more tasks as long as there is no error
    results = []
    error = None
    pending = len(first)
    while pending:
        # wrong: waits for results only, and not for the ends of processes as well
        ok, value = pickle.loads(done_queue.get())
        pending -= 1
        if ok:
            results.append(value)
        else:
            error = error or value
        if error is None:
            for task in islice(tasks, 1):
                task_queue.put((attempt, task))
                pending += 1

    # stop child processes
    for _ in processes:
        task_queue.put("STOP")
    for p in processes:
        p.join()
        p.close()
    for queue in (task_queue, done_queue):
        queue.close()
        queue.join_thread()
    if error is not None:
        raise RuntimeError(error)
    return results
