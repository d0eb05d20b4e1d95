"""A task queue for each worker, and a pipe for its results; the parent gives the next task to whoever is free."""

import multiprocessing as mp
from multiprocessing.connection import wait
from pickle import dumps, loads


def calculate(func, args):
    """Return func(*args)."""
    return func(*args)


def worker(input, output):
    """Compute tasks from `input` until 'STOP', put the results on `output`."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


class Outbox:
    """The writing end of a pipe that looks like a queue, so that worker() can be used with it."""

    def __init__(self, conn):
        self.conn = conn

    def put(self, item):
        self.conn.send_bytes(item)


def run(tasks, conn):
    """The process of a worker."""
    worker(tasks, Outbox(conn))


def protected(func, args):
    """Compute a task; an exception becomes part of the answer."""
    try:
        return dumps((calculate(func, args), None))
    except BaseException as err:
        return dumps((None, f"{type(err).__name__}: {err}"))


class Worker:
    def __init__(self):
        self.tasks = mp.SimpleQueue()
        self.conn, far_end = mp.Pipe(duplex=False)
        self.process = mp.Process(target=run, args=(self.tasks, far_end))
        self.process.start()
        far_end.close()

    def fileno(self):
        return self.conn.fileno()

    def ask(self, task):
        self.tasks.put((protected, task))

    def answer(self):
        try:
            result, error = loads(self.conn.recv_bytes())
        except (EOFError, OSError):
            self.process.join(1)
            raise RuntimeError(f"worker died, exit code {self.process.exitcode}") from None
        if error is not None:
            raise RuntimeError(error)
        return result

    def stop(self):
        try:
            self.tasks.put("STOP")
        except OSError:
            pass

    def finish(self, timeout=None):
        """Read on until the worker has closed its end; kill it if that takes too long."""
        try:
            while self.conn.poll(timeout):
                self.conn.recv_bytes()
        except (EOFError, OSError):
            pass
        else:
            self.process.kill()
        self.process.join()
        self.process.close()
        self.conn.close()
        self.tasks.close()


def mp_apply(tasks, n_processes=2):
    """Compute tasks in parallel; returns the unordered results."""
    results = []
    workers = []
    patience = 2
    tasks = iter(tasks)
    try:
        waiting = [task for _, task in zip(range(n_processes), tasks)]
        for _ in waiting:
            workers.append(Worker())
        busy = set()
        for w in workers:
            w.ask(waiting.pop(0))
            busy.add(w)
        while busy:
            for w in wait(busy):
                results.append(w.answer())
                try:
                    w.ask(next(tasks))
                except StopIteration:
                    busy.remove(w)
        patience = None
    finally:
        for w in workers:
            w.stop()
        for w in workers:
            w.finish(patience)
    return results
