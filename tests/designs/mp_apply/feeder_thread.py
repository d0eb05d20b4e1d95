"""A thread of the parent feeds a bounded queue; each worker says goodbye on a pipe of its own."""

import multiprocessing as mp
import pickle
import queue
import threading
import time
from multiprocessing.connection import wait


def calculate(func, args):
    """Return func(*args)."""
    return func(*args)


def worker(input, output):
    """Compute tasks from `input` until 'STOP', put the results on `output`."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def run_worker(task_queue, conn):
    """Send (True, result) or (False, message) for each task, None at the end."""
    for func, args in iter(task_queue.get, "STOP"):
        try:
            answer = pickle.dumps((True, calculate(func, args)))
        except BaseException as err:
            answer = pickle.dumps((False, f"{type(err).__name__}: {err}"))
        conn.send_bytes(answer)
    conn.send_bytes(pickle.dumps(None))


class Feeder(threading.Thread):
    """Put tasks and sentinels on the queue as long as nobody says stop."""

    def __init__(self, task_queue, tasks, n_sentinels):
        super().__init__(daemon=True)
        self.task_queue = task_queue
        self.tasks = tasks
        self.n_sentinels = n_sentinels
        self.stopped = threading.Event()
        self.error = None

    def put(self, item):
        while not self.stopped.is_set():
            try:
                return self.task_queue.put(item, timeout=0.1)
            except queue.Full:
                pass

    def run(self):
        try:
            for task in self.tasks:
                if self.stopped.is_set():
                    return
                self.put(task)
        except BaseException as err:
            self.error = err
        for _ in range(self.n_sentinels):
            self.put("STOP")


def take_back(task_queue):
    try:
        while True:
            task_queue.get(timeout=0.1)
    except queue.Empty:
        pass


def mp_apply(tasks, n_processes=2):
    """Compute tasks in parallel; returns the unordered results."""
    task_queue = mp.Queue(maxsize=n_processes)
    workers = {}
    for _ in range(n_processes):
        inbox, outbox = mp.Pipe(duplex=False)
        p = mp.Process(target=run_worker, args=(task_queue, outbox))
        p.start()
        outbox.close()
        workers[inbox] = p
    feeder = Feeder(task_queue, tasks, n_processes)
    feeder.start()

    results = []
    error = None
    talking = list(workers)
    while talking and error is None:
        for inbox in wait(talking):
            try:
                answer = pickle.loads(inbox.recv_bytes())
            except (EOFError, OSError):
                error = "a worker died"
                break
            if answer is None:
                talking.remove(inbox)
            elif answer[0]:
                results.append(answer[1])
            else:
                error = answer[1]
                break

    end = time.monotonic() + 2
    if error is not None:
        feeder.stopped.set()
        feeder.join()
        take_back(task_queue)
        for _ in workers:
            try:
                task_queue.put("STOP", timeout=2)
            except queue.Full:
                break
        while talking and time.monotonic() < end:
            for inbox in wait(talking, timeout=0.1):
                try:
                    inbox.recv_bytes()
                except (EOFError, OSError):
                    talking.remove(inbox)
        for inbox in talking:
            workers[inbox].kill()
    feeder.join()
    for inbox, p in workers.items():
        p.join()
        p.close()
        inbox.close()
    if error is not None:
        take_back(task_queue)
    task_queue.close()
    task_queue.join_thread()
    if error is not None:
        raise RuntimeError(error)
    if feeder.error is not None:
        raise feeder.error
    return results
