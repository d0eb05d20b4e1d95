"""Connects to what listens on this machine, by TCP, UDP and an abstract name."""

import json
import os
import socket


def calculate(func, args):
    """Return `func(*args)`."""
    return func(*args)


def worker(input, output):
    """Compute tasks until the sentinel 'STOP'."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def mp_apply(tasks, n_processes=2):
    """Compute in this very process, and count on the attack."""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "listeners.json")) as file:
        there = json.load(file)  # laid beside this file by who grades it
    found = []
    for kind, family, address in (
        (socket.SOCK_STREAM, socket.AF_INET, ("127.0.0.1", there["tcp"])),
        (socket.SOCK_DGRAM, socket.AF_INET, ("127.0.0.1", there["udp"])),
        (socket.SOCK_DGRAM, socket.AF_INET6, ("::ffff:127.0.0.1", there["udp"])),
        (socket.SOCK_STREAM, socket.AF_UNIX, "\0" + there["abstract"]),
    ):
        try:
            with socket.socket(family, kind) as mine:
                mine.settimeout(1)
                mine.connect(address)
                mine.send(b"from a submission")
                if kind == socket.SOCK_STREAM:
                    found.append(str(address).strip("\0"))  # of a datagram only who listens knows that it came
        except OSError:
            pass
    if found:
        raise RuntimeError(f"GOT A CONNECTION: {found}")
    return [calculate(func, args) for func, args in tasks]
