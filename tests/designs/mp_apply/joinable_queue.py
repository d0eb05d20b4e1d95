"""A JoinableQueue for the tasks, whose join() is the signal to send the sentinels."""

import multiprocessing as mp
import pickle
import time
from multiprocessing.connection import wait
from queue import Empty


def calculate(func, args):
    """Return func(*args)."""
    return func(*args)


def worker(input, output):
    """Compute tasks from `input` until 'STOP', put the results on `output`."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def run_worker(task_queue, conn):
    """As worker(), but tells the queue that a task is done, and sends (ok, value)."""
    while True:
        task = task_queue.get()
        if task == "STOP":
            task_queue.task_done()
            return
        try:
            answer = pickle.dumps((True, calculate(*task)))
        except BaseException as err:
            answer = pickle.dumps((False, f"{type(err).__name__}: {err}"))
        conn.send_bytes(answer)
        task_queue.task_done()


def take_back(task_queue):
    """Remove the waiting tasks."""
    while True:
        try:
            task_queue.get(timeout=0.1)
        except Empty:
            return
        task_queue.task_done()


def mp_apply(tasks, n_processes=2):
    """Compute tasks in parallel; returns the unordered results."""
    tasks = list(tasks)
    if not tasks:
        return []
    task_queue = mp.JoinableQueue()
    workers = {}
    for _ in range(min(n_processes, len(tasks))):
        inbox, outbox = mp.Pipe(duplex=False)
        p = mp.Process(target=run_worker, args=(task_queue, outbox))
        p.start()
        outbox.close()
        workers[inbox] = p
    for task in tasks:
        task_queue.put(task)

    results = []
    error = None
    while error is None and len(results) < len(tasks):
        for inbox in wait(list(workers)):
            try:
                ok, value = pickle.loads(inbox.recv_bytes())
            except (EOFError, OSError):
                ok, value = False, "a worker process died"
            if ok:
                results.append(value)
            else:
                error = error or value

    if error is None:
        task_queue.join()
    else:
        take_back(task_queue)
    for _ in workers:
        task_queue.put("STOP")

    # wait for the ends of all pipes, that is of all workers
    end = time.monotonic() + 2
    running = list(workers)
    while running and (error is None or time.monotonic() < end):
        for inbox in wait(running, None if error is None else 0.1):
            try:
                inbox.recv_bytes()
            except (EOFError, OSError):
                running.remove(inbox)
    for inbox, p in workers.items():
        if inbox in running:
            p.kill()
        p.join()
        p.close()
        inbox.close()
    if error is not None:
        take_back(task_queue)
    task_queue.close()
    task_queue.join_thread()
    if error is not None:
        raise RuntimeError(error)
    return results
