"""Leaves shared memory and a file in the place for it, under names of its own choice."""

import ctypes
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
    libc = ctypes.CDLL(None)
    libc.shm_open.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_uint]
    libc.shm_open(b"/hostile-shm", os.O_CREAT | os.O_RDWR, 0o600)
    with open("/dev/shm/hostile-file", "w") as file:
        file.write("x")
    return [calculate(func, args) for func, args in tasks]
