"""Reads from standard input, and from a named pipe that nobody writes to."""

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
    try:
        input("points? ")
    except EOFError:
        pass
    os.mkfifo("pipe")
    open("pipe").read()
    return [calculate(func, args) for func, args in tasks]
