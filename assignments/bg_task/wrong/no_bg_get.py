"""Calls the function get_result() that the handout calls bg_get()."""

# imports: --------------------------------------------------------------------
import multiprocessing as mp
import pickle
from multiprocessing.connection import wait


# functions of the assignment: ------------------------------------------------
def bg_task(task):
    """
    Run a task in a child process without blocking, using a queue.

    To retrieve the result use `bg_get()`.

    Parameters
    ----------
    task : tuple
        `(func, args)`: a picklable callable and a tuple of positional arguments.

    Returns
    -------
    tuple
        Handles `(p, task_queue, done_queue)` for the child process, the queue that it takes the
        task and the sentinel from, and the end of the pipe at which its result arrives.
    """
    # what cannot be pickled is an error here, not a task that the child never gets
    pickle.dumps(task)

    task_queue = mp.Queue()
    done_queue, writer = mp.Pipe(duplex=False)
    p = mp.Process(target=worker, args=(task_queue, Outbox(writer)))
    p.start()
    writer.close()
    task_queue.put(task)
    return p, task_queue, done_queue


def get_result(p, task_queue, done_queue, block=False):
    """
    Get the result of a background task, with or without waiting for it.

    Ends and joins the child process when there is a result, or when the child has died.

    Parameters
    ----------
    p, task_queue, done_queue : Process, Queue, Connection
        Handles as returned by `bg_task()`.
    block : bool, optional
        Whether to wait until the task is done. The default is False (do not wait).

    Returns
    -------
    object
        The result of the task, or None if it is still running, or if there will never be one;
        then a message says which.
    """
    if block and not done_queue.closed and p.is_alive():
        if done_queue not in wait([done_queue, p.sentinel]):
            p.join()

    # look whether the child is alive before the last look for a result, not after
    alive = p.is_alive()
    try:
        if done_queue.poll():
            answer = done_queue.recv_bytes()
        elif alive:
            print("Task still running.")
            return None
        else:
            raise EOFError
    except (EOFError, OSError):
        print("Child process inactive.")
        clean_up(p, task_queue, done_queue)
        return None

    # stop the child process
    task_queue.put("STOP")
    clean_up(p, task_queue, done_queue)
    return pickle.loads(answer)


# helpers: --------------------------------------------------------------------
class Outbox:
    """The writing end of a pipe with the `put()` of a queue."""

    def __init__(self, writer):
        self.writer = writer

    def put(self, result):
        """Send a result; returns when all of it has been written."""
        self.writer.send(result)


def calculate(func, args):
    """Return `func(*args)`, as part of a worker process."""
    return func(*args)


def worker(input, output):
    """Compute tasks from `input` until the sentinel 'STOP', put the results on `output`."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def clean_up(p, task_queue, done_queue):
    """Join a child that has ended or is about to, close what led to it. May be called again."""
    p.join()
    done_queue.close()
    # A large task that nobody has read keeps the queue's thread in a write: without a reader that ends.
    task_queue._reader.close()
    task_queue.close()
    task_queue.join_thread()
