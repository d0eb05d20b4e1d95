"""The cores and memory that this process may use just now, and how much of them is in use.

Affinity and the quota of cgroups limit the cores.
"""

from __future__ import annotations

import os

import psutil

from pytest_mpgrade.records import Machine
from pytest_mpgrade.system import quotas
from pytest_mpgrade.system.linux import cgroups


def usable_cores() -> int:
    """Return how many cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cores() -> float:
    """Return how many cores this process may use at a time, by affinity and by quota."""
    return min([float(usable_cores()), *quotas.core_quotas(cgroups.own_groups())])


def memory_bytes() -> int:
    """Return the bytes of memory that this process may have with all others of its cgroups."""
    return min([int(psutil.virtual_memory().total), *quotas.memory_limits(cgroups.own_groups())])


def now(*, alone: bool) -> Machine:
    """Return the state of the machine for a timing."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return Machine(cores=cores(), load=load, alone=alone)


def used() -> float:
    """Return the seconds for which all cores together were busy since the machine was started."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0))


def available_bytes() -> int:
    """Return the memory that new processes can have without swapping."""
    return int(psutil.virtual_memory().available)
