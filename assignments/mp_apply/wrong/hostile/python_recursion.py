"""Recurses in Python without end, and hands out results that are nested just as deeply."""

import sys


def calculate(func, args):
    """Return `func(*args)`."""
    return func(*args)


def worker(input, output):
    """Compute tasks until the sentinel 'STOP'."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def mp_apply(tasks, n_processes=2):
    """Compute in this very process, and count on the attack."""
    tasks = list(tasks)
    def deeper(n):
        """Go on."""
        return deeper(n + 1)

    try:
        deeper(0)
    except RecursionError:
        pass
    nested = []
    for _ in range(100_000):
        nested = [nested]
    return nested
    return [calculate(func, args) for func, args in tasks]
