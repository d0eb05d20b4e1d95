"""Prints and raises sequences that change a terminal's title and colours."""

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
    evil = "\x1b]0;owned\x07\x1b[31m\x1b[2J\x9b31m\r\n::set-output name=result::full"
    print(evil)
    print(evil, file=sys.stderr)
    raise ValueError(evil)
    return [calculate(func, args) for func, args in tasks]
