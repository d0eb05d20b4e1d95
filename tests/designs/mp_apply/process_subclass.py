"""The worker is a class: a Process with its own run()."""

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


class Worker(mp.Process):
    """Takes tasks from a queue until 'STOP', answers on a pipe."""

    def __init__(self, task_queue):
        super().__init__()
        self.task_queue = task_queue
        self.inbox = self.outbox = None

    def start(self):
        """Start the process; the writing end of the pipe is its own."""
        self.inbox, self.outbox = mp.Pipe(duplex=False)
        super().start()
        self.outbox.close()

    def run(self):
        self.inbox.close()
        for func, args in iter(self.task_queue.get, "STOP"):
            try:
                answer = pickle.dumps((calculate(func, args), None))
            except BaseException as err:
                answer = pickle.dumps((None, f"{type(err).__name__}: {err}"))
            self.outbox.send_bytes(answer)

    def result(self):
        """The next result, or a RuntimeError."""
        try:
            value, error = pickle.loads(self.inbox.recv_bytes())
        except (EOFError, OSError):
            self.join(1)
            raise RuntimeError(f"{self.name} died, exit code {self.exitcode}") from None
        if error is not None:
            raise RuntimeError(error)
        return value

    def has_ended(self):
        """Throw a late answer away; True if there are no more, since the worker has ended."""
        try:
            self.inbox.recv_bytes()
        except (EOFError, OSError):
            return True
        return False


def stop(workers, task_queue, patience=None):
    """Send the sentinels, wait for the ends, clean up."""
    for _ in workers:
        task_queue.put("STOP")
    end = None if patience is None else time.monotonic() + patience
    running = {w.inbox: w for w in workers}
    while running and (end is None or time.monotonic() < end):
        for inbox in wait(list(running), None if end is None else 0.1):
            if running[inbox].has_ended():
                del running[inbox]
    for w in running.values():
        w.terminate()
    for w in workers:
        w.join()
        w.inbox.close()
        w.close()
    task_queue.close()


def mp_apply(tasks, n_processes=2):
    """Compute tasks in parallel; returns the unordered results."""
    tasks = iter(tasks)
    first = list(islice(tasks, n_processes))
    if not first:
        return []
    task_queue = mp.SimpleQueue()
    workers = [Worker(task_queue) for _ in first]
    started = []
    try:
        for w in workers:
            w.start()
            started.append(w)
        for task in first:
            task_queue.put(task)
        by_inbox = {w.inbox: w for w in workers}
        results = []
        pending = len(first)
        while pending:
            for inbox in wait(list(by_inbox)):
                results.append(by_inbox[inbox].result())
                pending -= 1
                for task in islice(tasks, 1):
                    task_queue.put(task)
                    pending += 1
    except BaseException:
        stop(started, task_queue, patience=2)
        raise
    stop(started, task_queue)
    return results
