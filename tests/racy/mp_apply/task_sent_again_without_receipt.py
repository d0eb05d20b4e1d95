"""Race: a task is sent again when its receipt does not come in time."""

import multiprocessing as mp
import time
from multiprocessing.connection import wait

PATIENCE = 1.5


def calculate(func, args):
    result = func(*args)
    return result


def worker(input, output):
    while True:
        task = input.get()
        if task == "STOP":
            break
        func, args = task
        output.put(calculate(func, args))


def _serve(conn):
    conn.send(("hello", None, None))
    while True:
        message = conn.recv()
        if message == "STOP":
            break
        number, func, args = message
        conn.send(("receipt", number, None))
        try:
            conn.send(("done", number, calculate(func, args)))
        except Exception as err:
            conn.send(("error", number, f"{type(err).__name__}: {err}"))
    conn.close()


class _Worker:
    """A process, our end of its pipe, and what it is doing."""

    def __init__(self):
        self.conn, theirs = mp.Pipe()
        self.process = mp.Process(target=_serve, args=(theirs,))
        self.process.start()
        theirs.close()
        self.task = None
        self.sent = None  # when; None: receipt is there

    def give(self, task):
        self.task = task
        self.sent = time.monotonic()
        self.conn.send(task)

    def shut_down(self, grace=None):
        try:
            self.conn.send("STOP")
        except OSError:
            pass
        if grace is not None:
            self.conn.close()
        self.process.join(grace)
        if self.process.is_alive():
            self.process.terminate()
            self.process.join()
        self.process.close()
        self.conn.close()


def mp_apply(tasks, n_processes=2):
    todo = [(i, func, args) for i, (func, args) in enumerate(tasks)]
    todo.reverse()
    total, results = len(todo), {}
    workers = [_Worker() for _ in range(min(n_processes, total))]
    error = None
    while len(results) < total and error is None:
        ready = wait([w.conn for w in workers], timeout=0.2)
        for w in workers:
            if w.conn not in ready:
                if w.sent and time.monotonic() - w.sent > PATIENCE:
                    w.give(w.task)  # got lost? send it again
                continue
            try:
                kind, number, value = w.conn.recv()
            except (EOFError, OSError):
                error = "a worker died"
                break
            if kind == "receipt":
                w.sent = None
                continue
            if kind == "error":
                error = value
                break
            if kind == "done":
                if number in results:
                    continue
                results[number] = value
            if todo:
                w.give(todo.pop())
    for w in workers:
        w.shut_down(grace=6 if error is not None else None)
    if error is not None:
        raise RuntimeError(error)
    return list(results.values())
