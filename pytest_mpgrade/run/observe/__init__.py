"""Who is there, what each process waits for, when nothing can happen any more, what is left."""

from __future__ import annotations

import sys

from pytest_mpgrade.run.observe.base import Observer


def choose_observer(wanted: str, user: int = 0, most: int = 0) -> Observer:
    """Return the observer asked for: "auto", "ptrace", "proc" or "psutil".

    *user*: who the processes belong to. *most*: how many there may be before those that fork are
    stopped.
    """
    if wanted == "psutil" or not sys.platform.startswith("linux"):
        from pytest_mpgrade.run.observe.portable import PsutilObserver

        return PsutilObserver()
    from pytest_mpgrade.run.observe.linux import LinuxObserver

    return LinuxObserver(trace=wanted != "proc", user=user, most=most)
