"""Recurses until the C stack overflows."""

import sys


def calculate(func, args):
    """Return `func(*args)`."""
    return func(*args)


def worker(input, output):
    """Compute tasks until the sentinel 'STOP'."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def deeper(n):
    """Go on."""
    return repr([deeper(n + 1)])


def mp_apply(tasks, n_processes=2):
    """Compute in this very process, and count on the attack."""
    sys.setrecursionlimit(10**9)
    deeper(0)
    return [calculate(func, args) for func, args in tasks]
