"""Says of a living child that it is inactive, and of a dead one that its task is running."""

import multiprocessing as mp
import pickle
import queue


def calculate(func, args):
    """Return func(*args)."""
    return func(*args)


def worker(input, output):
    """Compute tasks from `input` until 'STOP', put the results on `output`."""
    while True:
        task = input.get()
        if task == "STOP":
            return
        func, args = task
        output.put(calculate(func, args))


def pickled(func, args):
    """Compute a task; pickled here, since a queue only complains about what it cannot pickle."""
    return pickle.dumps(calculate(func, args))


def bg_task(task):
    """Start a task in the background; returns the handles for bg_get()."""
    task_queue = mp.Queue()
    done_queue = mp.Queue()
    p = mp.Process(target=worker, args=(task_queue, done_queue), daemon=True)
    p.start()
    done_queue._writer.close()  # only the child writes: half a result is then an error
    task_queue.put((pickled, task))
    return (p, task_queue, done_queue)


def bg_get(p, task_queue, done_queue, block=False):
    """Return the result of the task, or None and say why."""
    while True:
        # in this order: the child may put its result and end in between
        dead = not p.is_alive()
        try:
            result = done_queue.get(timeout=0.05)
        except queue.Empty:
            if dead:
                print("Task still running.")
                return None
        except (EOFError, OSError):
            p.join()
            print("Task still running.")
            return None
        else:
            break
        if not block:
            print("Child process inactive.")
            return None
    task_queue.put("STOP")
    p.join()
    return pickle.loads(result)
