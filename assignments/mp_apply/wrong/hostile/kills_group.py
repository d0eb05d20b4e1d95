"""Kills the process groups of its parents."""

import os
import signal


def calculate(func, args):
    """Return `func(*args)`."""
    return func(*args)


def worker(input, output):
    """Compute tasks until the sentinel 'STOP'."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def mp_apply(tasks, n_processes=2):
    """Compute in this very process, and count on the attack."""
    for pid in (os.getppid(), os.getsid(0), os.getpgid(os.getppid()) if os.getppid() else 0):
        try:
            os.killpg(pid, signal.SIGKILL)
        except OSError:
            pass
    return [calculate(func, args) for func, args in tasks]
