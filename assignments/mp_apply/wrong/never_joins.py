"""As in the lecture: sends the sentinels but never joins; an error or a generator is not thought of."""

import multiprocessing as mp


def calculate(func, args):
    """Return func(*args)."""
    result = func(*args)
    return result


def worker(input, output):
    """Function run by the worker processes."""
    for func, args in iter(input.get, "STOP"):
        # wrong: a task that raises ends the worker, and its result never comes
        output.put(calculate(func, args))


def mp_apply(tasks, n_processes=2):
    """Compute tasks in parallel; returns the unordered results."""
    # the two queues
    task_queue = mp.Queue()
    done_queue = mp.Queue()

    # all tasks, then the processes
    for task in tasks:
        task_queue.put(task)
    for _ in range(n_processes):
        p = mp.Process(target=worker, args=(task_queue, done_queue))
        p.start()

    # as many results as tasks
    results = []
    # wrong: a generator has been used up by now
    for _ in tasks:
        results.append(done_queue.get())

    # end the processes
    for _ in range(n_processes):
        task_queue.put("STOP")
    # wrong: no process is joined
    return results
