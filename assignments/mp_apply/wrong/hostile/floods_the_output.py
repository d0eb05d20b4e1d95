"""Prints a hundred megabytes, a hundred times as much as is kept."""

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
    for _ in range(100):
        sys.stdout.write("x" * 999_999 + "\n")
    return [calculate(func, args) for func, args in tasks]
