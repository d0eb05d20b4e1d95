"""A thread and a pipe for each worker; the threads take tasks from a queue of their own."""

import queue
import threading
from multiprocessing import Pipe, Process


def calculate(func, args):
    return func(*args)


def worker(input, output):
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def serve(conn):
    while True:
        task = conn.recv()
        if task == "STOP":
            return
        try:
            answer = (True, calculate(*task))
        except Exception as e:
            answer = (False, "%s: %s" % (type(e).__name__, e))
        conn.send(answer)


def mp_apply(tasks, n_processes=2):
    waiting = queue.Queue()
    for task in tasks:
        waiting.put(task)
    n = min(n_processes, waiting.qsize())
    results, errors = [], []

    pairs = []
    for _ in range(n):
        here, there = Pipe()
        p = Process(target=serve, args=(there,))
        p.start()
        there.close()
        pairs.append((p, here))

    def drive(p, conn):
        try:
            while not errors:
                try:
                    task = waiting.get_nowait()
                except queue.Empty:
                    break
                conn.send(task)
                ok, value = conn.recv()
                if ok:
                    results.append(value)
                else:
                    errors.append(RuntimeError(value))
            conn.send("STOP")
        except (EOFError, OSError):
            errors.append(RuntimeError("worker %d died" % p.pid))
        finally:
            p.join()
            p.close()
            conn.close()

    threads = [threading.Thread(target=drive, args=pair) for pair in pairs]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if errors:
        raise errors[0]
    return results
