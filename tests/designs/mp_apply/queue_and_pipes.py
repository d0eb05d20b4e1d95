"""One queue for the tasks, and a pipe from each worker for its results."""

import multiprocessing as mp
import pickle
import time
from itertools import islice
from multiprocessing.connection import wait


def calculate(func, args):
    """Return func(*args)."""
    return func(*args)


def worker(input, output):
    """Compute tasks from `input` until 'STOP', put the results on `output`."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def run_worker(task_queue, outbox):
    """Process: take tasks from the queue, send (ok, result or message) through the pipe."""
    for func, args in iter(task_queue.get, "STOP"):
        try:
            message = pickle.dumps((True, calculate(func, args)))
        except BaseException as err:
            message = pickle.dumps((False, type(err).__name__ + ": " + str(err)))
        outbox.send_bytes(message)


def next_result(inbox):
    """Return a worker's result; an error instead if the task raised or the worker is dead."""
    try:
        message = inbox.recv_bytes()
    except (EOFError, OSError):
        raise RuntimeError("worker process died") from None
    ok, value = pickle.loads(message)
    if ok:
        return value
    raise RuntimeError("error in worker: " + value)


def has_ended(inbox):
    """Throw a late message away; True if there will be no more."""
    try:
        inbox.recv_bytes()
    except (EOFError, OSError):
        return True
    return False


def shut_down(task_queue, processes, inboxes, seconds=None):
    """One sentinel per worker, then join; with `seconds` (after an error) kill what still runs."""
    for _ in processes:
        task_queue.put("STOP")
    end = None if seconds is None else time.monotonic() + seconds
    open_inboxes = list(inboxes)
    while open_inboxes and (end is None or time.monotonic() < end):
        for inbox in wait(open_inboxes, None if end is None else 0.1):
            if has_ended(inbox):
                open_inboxes.remove(inbox)
    for p, inbox in zip(processes, inboxes):
        if inbox in open_inboxes:
            p.kill()
        p.join()
        p.close()
        inbox.close()
    task_queue.close()


def mp_apply(tasks, n_processes=2):
    """Compute tasks in parallel with the queue pattern; results come unordered."""
    tasks = iter(tasks)
    batch = list(islice(tasks, n_processes))
    if not batch:
        return []
    task_queue = mp.SimpleQueue()
    processes, inboxes, results = [], [], []
    try:
        for _ in batch:
            inbox, outbox = mp.Pipe(duplex=False)
            p = mp.Process(target=run_worker, args=(task_queue, outbox))
            p.start()
            outbox.close()
            processes.append(p)
            inboxes.append(inbox)
        for task in batch:
            task_queue.put(task)
        pending = len(batch)
        while pending:
            for inbox in wait(inboxes):
                results.append(next_result(inbox))
                pending -= 1
                for task in islice(tasks, 1):
                    task_queue.put(task)
                    pending += 1
    except BaseException:
        shut_down(task_queue, processes, inboxes, seconds=2)
        raise
    shut_down(task_queue, processes, inboxes)
    return results
