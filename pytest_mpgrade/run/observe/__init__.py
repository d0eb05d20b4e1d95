"""Observation of a process tree: its processes, what each waits for, quiescence, leftovers."""

from __future__ import annotations

import sys

from pytest_mpgrade.run.observe.base import Observer


def choose_observer(wanted: str, user: int = 0, most: int = 0) -> Observer:
    """Return the observer asked for: "auto", "ptrace", "proc" or "psutil".

    *user* is the user that the processes belong to. *most* is the number of living processes beyond
    which a process that forks stays stopped.
    """
    if wanted == "psutil" or not sys.platform.startswith("linux"):
        from pytest_mpgrade.run.observe.portable import PsutilObserver

        return PsutilObserver()
    from pytest_mpgrade.run.observe.linux import LinuxObserver

    return LinuxObserver(trace=wanted != "proc", user=user, most=most)
