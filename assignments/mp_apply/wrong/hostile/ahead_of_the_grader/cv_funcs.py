"""Lets code run before the grader is ready, by a module with a name of the library's."""

import os


def calculate(func, args):
    """Return `func(*args)`."""
    return func(*args)


def worker(input, output):
    """Compute tasks until the sentinel 'STOP'."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def mp_apply(tasks, n_processes=2):
    """Compute in this very process, and tell whether the attack has worked."""
    if "AHEAD" in os.environ:
        raise RuntimeError("GOT AHEAD OF THE GRADER")
    return [calculate(func, args) for func, args in tasks]
