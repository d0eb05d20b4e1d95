"""Computes the tasks one after the other in the calling process."""


def calculate(func, args):
    """Return func(*args)."""
    return func(*args)


def worker(input, output):
    """Compute tasks from `input` until 'STOP', put the results on `output`."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def mp_apply(tasks, n_processes=2):
    """Compute the tasks; returns their results."""
    # wrong: no process is started
    return [calculate(func, args) for func, args in tasks]
