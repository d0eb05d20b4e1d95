"""The workers of the pool put their results on a queue of their own, which their initializer is given."""

import multiprocessing as mp

OUTPUT = None


def set_output(output):
    """Keep the queue in a worker."""
    global OUTPUT
    OUTPUT = output


def deliver(job):
    """Put the number of a job and its result, or its exception, on the queue."""
    number, func, args = job
    try:
        OUTPUT.put((number, True, func(*args)))
    except Exception as error:
        OUTPUT.put((number, False, error))


def collect(output, count):
    """Return so many results from a queue, in the order of their numbers."""
    answers = sorted((output.get() for _ in range(count)), key=lambda answer: answer[0])
    for _, fine, value in answers:
        if not fine:
            raise value
    return [value for _, _, value in answers]


def run(jobs, n_processes, chunksize=None):
    """Hand out jobs, and return their results in order."""
    output = mp.Queue()
    pool = mp.Pool(n_processes, set_output, (output,))
    try:
        pool.map_async(deliver, jobs, chunksize)
        return collect(output, len(jobs))
    finally:
        pool.close()
        pool.join()


def pool_map(func, items, n_processes=2, chunksize=None):
    """Apply a function to each item; returns the results in order."""
    jobs = [(number, func, (item,)) for number, item in enumerate(items)]
    return run(jobs, n_processes, chunksize)


def pool_starmap(func, arg_tuples, n_processes=2):
    """Call a function with each tuple of arguments; returns the results in order."""
    jobs = [(number, func, args) for number, args in enumerate(arg_tuples)]
    return run(jobs, n_processes)


def pool_start(func, items, n_processes=2):
    """Begin to apply a function to each item; returns a handle."""
    pool = mp.Pool(n_processes)
    return pool, pool.map_async(func, items)


def pool_finish(handle, timeout=None):
    """Return the results of pool_start(); raises TimeoutError if they are not there in time."""
    pool, result = handle
    try:
        return result.get(timeout)
    finally:
        if result.ready():
            pool.close()
            pool.join()
