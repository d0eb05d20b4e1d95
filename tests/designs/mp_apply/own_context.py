"""Everything comes from a context object, that of the default start method."""

import multiprocessing
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


def child(task_queue, sender):
    """What runs in a worker process."""
    while True:
        task = task_queue.get()
        if task == "STOP":
            sender.close()
            return
        func, args = task
        try:
            message = pickle.dumps([calculate(func, args)])
        except BaseException as err:
            message = pickle.dumps(f"{type(err).__name__}: {err}")
        sender.send_bytes(message)


def mp_apply(tasks, n_processes=2):
    """Compute tasks in parallel; returns the unordered results."""
    ctx = multiprocessing.get_context()
    remaining = iter(tasks)
    beginning = tuple(islice(remaining, n_processes))
    if not beginning:
        return []
    task_queue = ctx.Queue()
    receivers, processes, results = [], [], []
    failure = None
    try:
        for _ in beginning:
            receiver, sender = ctx.Pipe(duplex=False)
            p = ctx.Process(target=child, args=(task_queue, sender), name=f"mp_apply-{len(processes)}")
            p.start()
            sender.close()
            receivers.append(receiver)
            processes.append(p)
        for task in beginning:
            task_queue.put(task)
        out = len(beginning)
        while out and failure is None:
            for receiver in wait(receivers):
                try:
                    message = pickle.loads(receiver.recv_bytes())
                except (EOFError, OSError):
                    message = "a worker process has died"
                if isinstance(message, str):
                    failure = message
                    break
                results += message
                out -= 1
                for task in islice(remaining, 1):
                    task_queue.put(task)
                    out += 1
    finally:
        if out:
            failure = failure or "interrupted"
        for _ in processes:
            task_queue.put("STOP")
        end = time.monotonic() + 2
        open_ends = list(receivers)
        while open_ends and (failure is None or time.monotonic() < end):
            for receiver in wait(open_ends, None if failure is None else 0.1):
                try:
                    receiver.recv_bytes()
                except (EOFError, OSError):
                    open_ends.remove(receiver)
        for receiver, p in zip(receivers, processes):
            if receiver in open_ends:
                p.kill()
            p.join()
            p.close()
            receiver.close()
        task_queue._reader.close()
        task_queue.close()
        task_queue.join_thread()
    if failure is not None:
        raise RuntimeError(failure)
    return results
