"""Does not notice that the child has died: waits for ever, or says for ever that it is running."""

import multiprocessing as mp


def calculate(func, args):
    """Return func(*args)."""
    return func(*args)


def worker(input, output):
    """Compute tasks from `input` until 'STOP', put the results on `output`."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def bg_task(task):
    """Start a task in a child process; returns (p, task_queue, done_queue)."""
    task_queue = mp.Queue()
    done_queue = mp.SimpleQueue()
    p = mp.Process(target=worker, args=(task_queue, done_queue))
    p.start()
    task_queue.put(task)
    return p, task_queue, done_queue


def bg_get(p, task_queue, done_queue, block=False):
    """Return the result of a background task; None if it is not there and need not be waited for."""
    if not block and done_queue.empty():
        print("Task still running.")
        return None
    # wrong: never comes from a child that has died
    result = done_queue.get()
    task_queue.put("STOP")
    p.join()
    return result
