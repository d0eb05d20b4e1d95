"""The workers take a lock that they hold already: every call hangs."""

# imports: --------------------------------------------------------------------
import multiprocessing as mp
import pickle
import time
import traceback
from itertools import islice
from multiprocessing.connection import wait

# seconds that workers have to obey the sentinel, after an error only
GRACE = 2.0


# functions of the assignment: ------------------------------------------------
def calculate(func, args):
    """
    Call func(*args) as part of a worker process.

    Parameters
    ----------
    func : callable
        The function to call.
    args : tuple
        Positional arguments for `func`.

    Returns
    -------
    object
        The result of `func(*args)`.
    """
    return func(*args)


def worker(input, output):
    """
    Compute tasks from one queue until the sentinel 'STOP', put results on another.

    Parameters
    ----------
    input : queue
        Tasks `(func, args)`, then one 'STOP' for each worker. Needs a `get()`.
    output : queue
        Takes one result per task. Needs a `put()`.

    Returns
    -------
    None
    """
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def mp_apply(tasks, n_processes=2):
    """
    Compute tasks in parallel.

    Parameters
    ----------
    tasks : iterable of tuples
        Tasks `(func, args)`: a picklable callable and a tuple of positional arguments.
    n_processes : int, optional
        The number of child processes (fewer, if there are fewer tasks). The default is 2.

    Returns
    -------
    list
        One result per task, in the order in which they were ready.

    Raises
    ------
    Exception
        The exception of the first task that raised, or a RuntimeError which names it where it
        cannot be pickled.
    RuntimeError
        If a worker died; the message says how.
    """
    if n_processes < 1:
        raise ValueError("n_processes must be at least 1")
    waiting = (pickle.dumps(task) for task in tasks)
    first = list(islice(waiting, n_processes))
    if not first:
        return []

    task_queue = mp.Queue()
    lock = mp.Lock()
    workers = {}
    results = []
    try:
        # start processes, before the first put() starts a thread in this one
        for _ in first:
            reader, process = start_worker(task_queue, lock)
            workers[reader] = process

        # submit one task for each worker
        for task in first:
            task_queue.put((attempt, (task,)))

        # get unordered results, submit a waiting task for each
        pending = len(first)
        while pending:
            for reader in wait(list(workers)):
                results.append(receive(reader, workers[reader]))
                pending -= 1
                for task in islice(waiting, 1):
                    task_queue.put((attempt, (task,)))
                    pending += 1
    except BaseException:
        stop_workers(task_queue, workers, grace=GRACE)
        raise
    exitcodes = stop_workers(task_queue, workers)
    if any(exitcodes):
        raise RuntimeError(f"a worker died at the end: exit codes {exitcodes}")
    return results


# helpers in the worker processes: --------------------------------------------
class Outbox:
    """The writing end of a pipe with the `put()` that `worker` asks for."""

    def __init__(self, writer, lock):
        self.writer = writer
        self.lock = lock

    def put(self, answer):
        """Send the bytes `answer`; returns when all of it has been written."""
        with self.lock, self.lock:
            self.writer.send_bytes(answer)


def attempt(task):
    """
    Compute a pickled task. Never raises.

    Returns
    -------
    bytes
        The pickled triple (result, None, None), or (None, exception, traceback as text).
    """
    try:
        func, args = pickle.loads(task)
        return pickle.dumps((calculate(func, args), None, None))
    except BaseException as err:
        error, text = err, "".join(traceback.format_exception(err))
    try:
        # some exceptions cannot be pickled, some not be unpickled; SystemExit would end the parent
        pickle.loads(pickle.dumps(error))
        portable = isinstance(error, Exception)
    except Exception:
        portable = False
    if not portable:
        error = RuntimeError("a task raised " + "".join(traceback.format_exception_only(error)))
    return pickle.dumps((None, error, text))


# helpers in the parent process: ----------------------------------------------
def start_worker(task_queue, lock):
    """Start one worker; returns the reading end of its pipe, and its Process."""
    reader, writer = mp.Pipe(duplex=False)
    process = mp.Process(target=worker, args=(task_queue, Outbox(writer, lock)))
    process.start()
    writer.close()
    return reader, process


def receive(reader, process):
    """Return the next result of a worker, or raise what went wrong instead."""
    try:
        answer = reader.recv_bytes()
    except (EOFError, OSError):
        process.join(GRACE)
        raise RuntimeError(f"a worker died (exit code {process.exitcode})") from None
    result, error, text = pickle.loads(answer)
    if error is not None:
        raise error from RuntimeError("in the worker process:\n" + text)
    return result


def stop_workers(task_queue, workers, grace=None):
    """
    Send each worker the sentinel, wait until all have ended, and clean up.

    Parameters
    ----------
    task_queue : Queue
    workers : dict
        The Process by the reading end of its pipe.
    grace : float or None, optional
        Seconds after which workers are terminated. The default None is for a call without errors:
        wait as long as it takes (but only `GRACE` once a worker turns out to have died).

    Returns
    -------
    list of int
        The exit codes.
    """
    for _ in workers:
        task_queue.put("STOP")
    deadline = None if grace is None else time.monotonic() + grace
    alive = list(workers)
    while alive and (deadline is None or time.monotonic() < deadline):
        timeout = None if deadline is None else max(0, deadline - time.monotonic())
        for reader in wait(alive, timeout):
            try:
                reader.recv_bytes()  # a late result that nobody waits for
            except (EOFError, OSError):
                alive.remove(reader)
                workers[reader].join()
                if deadline is None and workers[reader].exitcode != 0:
                    deadline = time.monotonic() + GRACE
    for reader in alive:
        workers[reader].terminate()
    for reader in alive:
        workers[reader].join(1)
        workers[reader].kill()

    exitcodes = []
    for reader, process in workers.items():
        process.join()
        exitcodes.append(process.exitcode)
        process.close()
        reader.close()
    # A large task that nobody has read keeps the queue's thread in a write: without a reader that ends.
    task_queue._reader.close()
    task_queue.close()
    task_queue.join_thread()
    return exitcodes
