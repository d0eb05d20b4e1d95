"""Never comes to the end of its import, and burns CPU in several processes."""

import os


def calculate(func, args):
    """Return `func(*args)`."""
    return func(*args)


def worker(input, output):
    """Compute tasks until the sentinel 'STOP'."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def mp_apply(tasks, n_processes=2):
    """Is never called."""
    return []


for _ in range(3):
    os.fork()
while True:
    pass
