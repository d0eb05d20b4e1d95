"""Leaves files wherever it may write."""

import glob
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
    homes = glob.glob("/home/*") + glob.glob("/root") + glob.glob("/tmp/*/")
    for folder in ["/tmp", "/var/tmp", "/run/lock", "/", os.path.dirname(os.path.abspath(__file__)), *homes]:
        try:
            with open(os.path.join(folder, "mpgrade-hostile-was-here"), "w") as file:
                file.write("x")
        except OSError:
            pass
    return [calculate(func, args) for func, args in tasks]
