"""
Dan - STATS 507 Problem Set 6

Parallel apply with a task queue and a done queue. Processes are joined so that there are no zombies!
"""
import multiprocessing as mp


# a result that is an error comes in this wrapper
class TaskError:
    def __init__(self, text):
        self.text = text


def calculate(func, args):
    """Return the result of func(*args)."""
    return func(*args)


def worker(input, output):
    """
    Run tasks.

    Parameters
    ----------
    input, output : queues
    """
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def safe_calculate(func, args, failed):
    """calculate(), but exceptions don't kill the worker. After one, the other tasks are left out."""
    if failed.is_set():
        return None
    try:
        return calculate(func, args)
    except Exception as e:
        failed.set()
        return TaskError(type(e).__name__ + ": " + str(e))


def safe_worker(task_queue, done_queue, failed):
    for func, args in iter(task_queue.get, "STOP"):
        done_queue.put(safe_calculate(func, args, failed))


def mp_apply(tasks, n_processes=2):
    """
    Compute tasks in parallel.

    Parameters
    ----------
    tasks : list of (func, args)
    n_processes : int

    Returns
    -------
    list of results, not in order
    """
    tasks = list(tasks)
    task_queue = mp.Queue()
    done_queue = mp.Queue()
    failed = mp.Event()

    for task in tasks:
        task_queue.put(task)
    for i in range(n_processes):
        task_queue.put("STOP")

    processes = []
    for i in range(min(n_processes, len(tasks))):
        p = mp.Process(target=safe_worker, args=(task_queue, done_queue, failed))
        p.start()
        processes.append(p)

    # wait until everything is finished
    for p in processes:
        p.join()
    for p in processes:
        if p.exitcode != 0:
            raise RuntimeError("a process died with exit code " + str(p.exitcode))

    # now all results are in the queue (if one is missing this raises queue.Empty)
    results = []
    for i in range(len(tasks)):
        r = done_queue.get(timeout=2)
        if isinstance(r, TaskError):
            raise RuntimeError(r.text)
        results.append(r)
    task_queue.close()
    done_queue.close()
    return results
