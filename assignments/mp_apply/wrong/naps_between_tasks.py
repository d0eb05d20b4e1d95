"""Right, but the parent sleeps between two looks at its workers: who is free waits for the next task."""

import multiprocessing as mp
import time
from multiprocessing.connection import wait
from pickle import dumps, loads


def calculate(func, args):
    """Return func(*args)."""
    return func(*args)


def worker(input, output):
    """Compute tasks from `input` until 'STOP', put the results on `output`."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


class PipeEnd:
    """A connection that looks like a queue, so that worker() can be used with it."""

    def __init__(self, conn):
        self.conn = conn

    def get(self):
        return self.conn.recv()

    def put(self, item):
        self.conn.send_bytes(item)


def run(conn):
    """The process of a worker."""
    worker(PipeEnd(conn), PipeEnd(conn))


def protected(func, args):
    """Compute a task; an exception becomes part of the answer."""
    try:
        return dumps((calculate(func, args), None))
    except BaseException as err:
        return dumps((None, f"{type(err).__name__}: {err}"))


class Worker:
    def __init__(self):
        self.conn, far_end = mp.Pipe()
        self.process = mp.Process(target=run, args=(far_end,))
        self.process.start()
        far_end.close()

    def fileno(self):
        return self.conn.fileno()

    def ask(self, task):
        self.conn.send((protected, task))

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
            self.conn.send("STOP")
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


def ready(busy):
    """Return the workers that have answered; look again after a nap if there are none."""
    while True:
        found = wait(busy, 0.001)
        if found:
            return found
        time.sleep(0.1)


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
            for w in ready(busy):
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
