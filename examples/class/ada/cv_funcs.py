# Stats 507, Problem Set 6
# Ada
#
# mp_apply with one task queue, and one pipe per worker for the results. I first used a done_queue,
# but when a worker was killed the parent could not find out. A pipe closes when its worker dies.

# imports: --------------------------------------------------------------------
import multiprocessing as mp
import pickle
import time
from multiprocessing.connection import wait as wait_for

import numpy as np


# example task: ---------------------------------------------------------------
def bootstrap_mean(x, seed):
    """
    Mean of one bootstrap sample.

    Parameters
    ----------
    x : ndarray
        The sample.
    seed : int
        Seed of the random number generator.

    Returns
    -------
    float
    """
    rng = np.random.default_rng(seed)
    return float(rng.choice(x, size=len(x)).mean())


# solution: -------------------------------------------------------------------
def calculate(func, args):
    """Call func(*args)."""
    return func(*args)


def worker(input, output):
    """Run tasks from `input` until 'STOP' and put their results on `output`."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def _try_to_calculate(func, args):
    """
    Like calculate(), but an exception is returned and not raised.

    Returns
    -------
    bytes
        A pickled tuple (result, None) or (None, exception).
    """
    try:
        return pickle.dumps((calculate(func, args), None))
    except BaseException as e:
        exception = e
    try:
        # some exceptions can't be pickled, and some can't be unpickled!
        answer = pickle.dumps((None, exception))
        pickle.loads(answer)
        if isinstance(exception, Exception):
            return answer
    except Exception:
        pass
    name = type(exception).__name__
    return pickle.dumps((None, RuntimeError(f"{name} in a task: {exception}")))


class _PipeQueue:
    """Makes the end of a pipe look like a queue, for worker()."""

    def __init__(self, connection):
        self.connection = connection

    def put(self, item):
        self.connection.send_bytes(item)


def _get_result(connection, p):
    """Receive one result; raise the task's exception, or RuntimeError if the worker is dead."""
    try:
        answer = connection.recv_bytes()
    except (EOFError, OSError):
        p.join(1)
        raise RuntimeError(f"Worker {p.name} died with exit code {p.exitcode}.") from None
    result, exception = pickle.loads(answer)
    if exception is not None:
        raise exception
    return result


def _shut_down(workers, task_queue, max_seconds=None):
    """
    End all workers.

    Parameters
    ----------
    workers : dict
        Process by connection.
    task_queue : SimpleQueue
    max_seconds : float, optional
        If there was an error: how long to wait for the workers before they are killed.
    """
    for _ in workers:
        task_queue.put("STOP")
    t0 = time.monotonic()
    still_open = list(workers)
    while still_open:
        if max_seconds is not None and time.monotonic() - t0 > max_seconds:
            for connection in still_open:
                workers[connection].kill()
            break
        for connection in wait_for(still_open, None if max_seconds is None else 0.05):
            try:
                connection.recv_bytes()  # late result, not needed
            except (EOFError, OSError):
                still_open.remove(connection)
    for connection, p in workers.items():
        p.join()
        p.close()
        connection.close()
    task_queue.close()


def mp_apply(tasks, n_processes=2):
    """
    Compute tasks in parallel.

    Parameters
    ----------
    tasks : iterable of tuples (func, args)
    n_processes : int, optional
        Number of child processes. The default is 2.

    Returns
    -------
    list
        The unordered results.
    """
    tasks = list(tasks)
    n_processes = min(n_processes, len(tasks))
    n_results = len(tasks)
    task_queue = mp.SimpleQueue()
    workers = {}
    results = []
    try:
        # start
        for _ in range(n_processes):
            connection, other_end = mp.Pipe(duplex=False)
            p = mp.Process(target=worker, args=(task_queue, _PipeQueue(other_end)))
            p.start()
            other_end.close()
            workers[connection] = p

        # never more tasks in the queue than workers, so that I can stop early
        for _ in range(n_processes):
            task_queue.put((_try_to_calculate, tasks.pop(0)))
        while len(results) < n_results:
            for connection in wait_for(list(workers)):
                results.append(_get_result(connection, workers[connection]))
                if tasks:
                    task_queue.put((_try_to_calculate, tasks.pop(0)))
    except BaseException:
        _shut_down(workers, task_queue, max_seconds=2)
        raise
    _shut_down(workers, task_queue)
    return results


if __name__ == "__main__":
    sample = np.random.default_rng(507).normal(size=1000)
    means = mp_apply([(bootstrap_mean, (sample, i)) for i in range(100)], n_processes=4)
    print(f"standard error: {np.std(means):.4f}")
