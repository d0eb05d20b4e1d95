"""An Event says that the result is coming; it travels as an attribute of the process."""

import multiprocessing as mp


def worker(input, output, finished):
    for func, args in iter(input.get, "STOP"):
        result = func(*args)
        finished.set()
        output.put(result)


def bg_task(task):
    q1, q2, e = mp.Queue(), mp.Queue(), mp.Event()
    q1.put(task)
    p = mp.Process(target=worker, args=(q1, q2, e))
    p.start()
    p.finished = e
    return p, q1, q2


def bg_get(p, task_queue, done_queue, block=False):
    while not p.finished.is_set():
        if not p.is_alive():
            if p.finished.is_set():
                break
            print("Child process inactive.")
            return None
        if not block:
            print("Task still running.")
            return None
        p.finished.wait(0.1)
    result = done_queue.get()
    task_queue.put("STOP")
    p.join()
    return result
