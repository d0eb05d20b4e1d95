"""What of the machine is in use just now, and what is left to this process."""

from __future__ import annotations

import os

import psutil

from pytest_mpgrade.records import Machine
from pytest_mpgrade.system import quotas
from pytest_mpgrade.system.linux import cgroups


def memory_bytes() -> int:
    """Return the bytes of memory that this process may have with all others of its cgroups."""
    return min([int(psutil.virtual_memory().total), *quotas.memory_limits(cgroups.own_groups())])


def now(*, alone: bool) -> Machine:
    """Return the state of the machine for a timing."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return Machine(cores=quotas.cores(), load=load, alone=alone)


def used() -> float:
    """Return the seconds for which all cores together were busy since the machine was started."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0))


def available_bytes() -> int:
    """Return the memory that new processes can have without swapping."""
    return int(psutil.virtual_memory().available)
