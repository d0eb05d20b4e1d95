"""Fills the disk where its answers go, and not its scratch folder."""

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
    box = os.path.join(os.path.dirname(os.environ["MPGRADE_STACKS"]), "box")
    for number in range(100):
        with open(os.path.join(box, f"junk{number}"), "wb") as file:
            file.write(bytes(20_000_000))
    return [calculate(func, args) for func, args in tasks]
