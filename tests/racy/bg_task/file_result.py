# race: a file written and read without rename — line 29: where the child is held for 0.6 s between open() and write(), the caller reads an empty file and gives up
"""Background tasks whose results may be large: they go through a file."""

import multiprocessing as mp
import os
import pickle
import tempfile
import time
from queue import Empty


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


def _to_file(path, input, output):
    for func, args in iter(input.get, "STOP"):
        data = pickle.dumps(calculate(func, args))
        with open(path, "wb") as file:
            file.write(data)


def bg_task(task):
    task_queue, done_queue = mp.Queue(), mp.Queue()
    path = os.path.join(tempfile.gettempdir(), f"bg_{os.getpid()}_{time.monotonic_ns()}.pkl")
    p = mp.Process(target=_to_file, args=(path, task_queue, done_queue))
    p.path = path
    p.start()
    task_queue.put(task)
    return p, task_queue, done_queue


def _read(path):
    """(True, result); (False, None) if the file is damaged."""
    found = False, None
    for _ in range(12):
        try:
            with open(path, "rb") as file:
                found = True, pickle.load(file)
            break
        except (EOFError, pickle.UnpicklingError):
            time.sleep(0.05)
    os.remove(path)
    return found


def bg_get(p, task_queue, done_queue, block=False):
    while True:
        alive = p.is_alive()
        if os.path.exists(p.path):
            break
        if not alive:
            print("Child process inactive.")
            return None
        if not block:
            print("Task still running.")
            return None
        time.sleep(0.02)
    found, result = _read(p.path)
    task_queue.put("STOP")
    p.join()
    if not found:
        print("Child process inactive.")
    return result
