"""The child of `bg_task` ignores SIGTERM, leaves a daemon in a session of its own, and stops itself."""

import multiprocessing as mp
import os
import signal


def worker(task_queue, done_queue):
    """Compute tasks until the sentinel 'STOP'; then stay."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if os.fork() == 0:
        os.setsid()
        signal.pause()
    for func, args in iter(task_queue.get, "STOP"):
        done_queue.put(func(*args))
    os.kill(os.getpid(), signal.SIGSTOP)


def bg_task(task):
    """Start a child that does not end."""
    task_queue, done_queue = mp.Queue(), mp.Queue()
    p = mp.Process(target=worker, args=(task_queue, done_queue))
    p.start()
    task_queue.put(task)
    return p, task_queue, done_queue


def bg_get(p, task_queue, done_queue, block=False):
    """Wait for the result, not for the child."""
    if not block and done_queue.empty():
        print("Task still running.")
        return None
    result = done_queue.get()
    task_queue.put("STOP")
    p.join(0.5)
    return result
