"""Remembers the result of every task: what has been computed once is never computed again."""

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


RESULTS = {}


def mp_apply(tasks, n_processes=2):
    """Compute the tasks in parallel whose results are not known yet."""
    tasks = list(tasks)
    keys = [pickle.dumps(task) for task in tasks]
    if not all(key in RESULTS for key in keys):
        return compute(tasks, keys, n_processes)
    return [RESULTS[key] for key in keys]


def with_key(key, func, args):
    """Return the result with the key of its task."""
    return key, func(*args)


def compute(tasks, keys, n_processes):
    """Compute tasks in parallel, and remember their results."""
    named = [(with_key, (key, *task)) for key, task in zip(keys, tasks)]
    found = run_all(named, n_processes)
    RESULTS.update(found)
    return [value for _, value in found]


def run_all(tasks, n_processes):
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
        task_queue.close()
        raise
    shut_down(task_queue, processes, inboxes)
    task_queue.close()
    return results
