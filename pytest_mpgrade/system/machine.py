"""What this machine lets us use just now: cores, by affinity and by the quota of cgroups; and how much is in use."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping

import psutil

from pytest_mpgrade.records import Machine
from pytest_mpgrade.system.linux import cgroups


def usable_cores() -> int:
    """Return how many cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def now(*, alone: bool) -> Machine:
    """Return what a timing had to itself."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return Machine(cores=min([float(usable_cores()), *quotas(cgroups.own())]), load=load, alone=alone)


def used() -> float:
    """Return the seconds for which all cores together have been used since the machine was started."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0))


def available_bytes() -> int:
    """Return the memory that new processes can have without swapping."""
    return int(psutil.virtual_memory().available)


def quotas(own: Mapping[str, tuple[str, str]]) -> Iterator[float]:
    """Yield the CPU quotas, in cores, of a process's groups and of all above them; *own*: see `cgroups.own`.

    ``os.cpu_count`` and affinity know nothing of them, in a container too (python/cpython#80235).
    """
    for controller, quota in (("", _version_2), ("cpu", _version_1)):
        top, folder = own.get(controller, ("/", ""))
        while folder.startswith(top):
            found = _positive(quota, folder)
            if found:
                yield found
            folder = os.path.dirname(folder) if folder != top else ""


def _positive(quota: Callable[[str], float], folder: str) -> float:
    try:
        return max(0.0, quota(folder))
    except (OSError, ValueError):
        return 0.0  # the root of a tree has no quota


def _version_2(folder: str) -> float:
    most, period = _words(f"{folder}/cpu.max")
    return 0.0 if most == "max" else int(most) / int(period)


def _version_1(folder: str) -> float:
    """-1 is no quota."""
    return int(_words(f"{folder}/cpu.cfs_quota_us")[0]) / int(_words(f"{folder}/cpu.cfs_period_us")[0])


def _words(path: str) -> list[str]:
    with open(path, encoding="ascii") as file:
        return file.read().split()
