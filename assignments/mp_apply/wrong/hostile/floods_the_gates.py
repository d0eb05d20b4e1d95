"""Sends messages without end, on connections without end."""

import os

from pytest_mpgrade.inside import gates


def calculate(func, args):
    """Return `func(*args)`."""
    return func(*args)


def worker(input, output):
    """Compute tasks until the sentinel 'STOP'."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def mp_apply(tasks, n_processes=2):
    """Compute in this very process, and count on the attack."""
    channels = []
    while True:
        try:
            channels.append(gates._Seqpacket(os.environ["MPGRADE_GATE"].partition(":")[2]))
        except OSError:
            pass
        for _ in range(200):
            try:
                channels[-1].send(b'{"kind": "note", "key": "1"}')
            except OSError:
                channels.append(gates._Seqpacket(os.environ["MPGRADE_GATE"].partition(":")[2]))
    return [calculate(func, args) for func, args in tasks]
