"""Tells of tasks from processes that are real and new, and of tasks that were never handed out."""

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
    from pytest_mpgrade.inside import gates

    for number in range(3):
        if os.fork() == 0:
            gates.tell("note", key=f"forged{number}")
            gates.ask("gate", key=f"forged{number}")
            os._exit(0)
    for _ in range(3):
        os.wait()
    return [calculate(func, args) for func, args in tasks]
