"""Two SimpleQueues; the parent closes its writing end of one, so that it sees when the child has died."""

import multiprocessing as mp


def calculate(func, args):
    """Return func(*args)."""
    return func(*args)


def worker(input, output):
    """Compute tasks from `input` until 'STOP', put the results on `output`."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def bg_task(task):
    """Run a task in a child process without blocking.

    Parameters
    ----------
    task : tuple
        A callable and a tuple of positional arguments.

    Returns
    -------
    tuple
        The child process and two queues.
    """
    task_queue = mp.SimpleQueue()
    done_queue = mp.SimpleQueue()
    p = mp.Process(target=worker, args=(task_queue, done_queue))
    p.start()
    done_queue._writer.close()
    task_queue.put(task)
    return p, task_queue, done_queue


def bg_get(p, task_queue, done_queue, block=False):
    """Get the result of a background task; see bg_task()."""
    try:
        if not block and done_queue.empty():
            print("Task still running.")
            return None
        result = done_queue.get()
    except (EOFError, OSError):
        p.join()
        print("Child process inactive.")
        return None
    task_queue.put("STOP")
    p.join()
    return result
