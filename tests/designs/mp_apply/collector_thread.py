"""A thread of the parent collects the results, while the main thread waits for the workers."""

import multiprocessing as mp
import pickle
import threading
from multiprocessing.connection import wait


def calculate(func, args):
    """Return func(*args)."""
    return func(*args)


def worker(input, output):
    """Compute tasks from `input` until 'STOP', put the results on `output`."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def serve(conn):
    """Answer the tasks that come through a pipe, until 'STOP'."""
    for func, args in iter(conn.recv, "STOP"):
        try:
            answer = pickle.dumps((True, calculate(func, args)))
        except BaseException as err:
            answer = pickle.dumps((False, f"{type(err).__name__}: {err}"))
        conn.send_bytes(answer)


class Collector(threading.Thread):
    """Give each worker a task, and the next one when it has answered; at the end the sentinel."""

    def __init__(self, conns, tasks):
        super().__init__()
        self.conns = conns
        self.tasks = tasks
        self.results = []
        self.error = None

    def next_task(self, conn):
        if self.tasks and self.error is None:
            conn.send(self.tasks.pop(0))
        else:
            conn.send("STOP")

    def run(self):
        for conn in self.conns:
            self.next_task(conn)
        running = list(self.conns)
        while running:
            for conn in wait(running):
                try:
                    ok, value = pickle.loads(conn.recv_bytes())
                    if ok:
                        self.results.append(value)
                    else:
                        self.error = self.error or value
                    self.next_task(conn)
                except (EOFError, OSError):
                    running.remove(conn)


def mp_apply(tasks, n_processes=2):
    """Compute tasks in parallel; returns the unordered results."""
    tasks = list(tasks)
    n_tasks = len(tasks)
    conns, processes = [], []
    for _ in range(min(n_processes, n_tasks)):
        conn, far_end = mp.Pipe()
        p = mp.Process(target=serve, args=(far_end,))
        p.start()
        far_end.close()
        conns.append(conn)
        processes.append(p)
    collector = Collector(conns, tasks)
    collector.start()

    # wait for the ends of the workers; one that ends while there is work for it has died
    running = list(processes)
    while running:
        ended = wait([p.sentinel for p in running], timeout=None if collector.error is None else 3)
        if not ended:
            for p in running:
                p.terminate()
        for p in [p for p in running if p.sentinel in ended]:
            running.remove(p)
            p.join()
            if tasks or p.exitcode != 0:
                collector.error = collector.error or f"a worker died, exit code {p.exitcode}"
    collector.join()
    for conn, p in zip(conns, processes):
        p.close()
        conn.close()
    if collector.error is None and len(collector.results) < n_tasks:
        collector.error = "a worker died, exit code 0"
    if collector.error is not None:
        raise RuntimeError(collector.error)
    return collector.results
