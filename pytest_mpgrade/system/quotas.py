"""What affinity and cgroups leave to a process of the machine: cores, and bytes of memory.

``os.cpu_count``, affinity and the size of the machine's memory do not include the limits of
cgroups, in a container either (python/cpython#80235). Files:
Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/ of Linux.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping

from pytest_mpgrade.system.linux import cgroups

Groups = Mapping[str, tuple[str, str]]
"""The groups of a process, see `cgroups.own_groups`.

They are by controller: the mount of its hierarchy, and the group's folder in it.
"""

_NO_LIMIT = 2**62
"""Version 1 writes no limit as a number of bytes: the largest that is a whole number of pages."""


def usable_cores() -> int:
    """Return how many cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cores() -> float:
    """Return how many cores this process may use at a time, by affinity and by quota."""
    return min([float(usable_cores()), *core_quotas(cgroups.own_groups())])


def core_quotas(own: Groups) -> Iterator[float]:
    """Yield the CPU quotas, in cores, of a process's groups and of all above them."""
    return _found(own, "cpu", _cores_2, _cores_1)


def memory_limits(own: Groups) -> Iterator[int]:
    """Yield the memory limits, in bytes, of a process's groups and of all above them."""
    return (int(most) for most in _found(own, "memory", _memory_2, _memory_1) if most < _NO_LIMIT)


def _found(
    own: Groups,
    controller: str,
    version_2: Callable[[str], float],
    version_1: Callable[[str], float],
) -> Iterator[float]:
    for name, read in (("", version_2), (controller, version_1)):
        top, folder = own.get(name, ("/", ""))
        while folder.startswith(top):
            found = _positive(read, folder)
            if found:
                yield found
            folder = os.path.dirname(folder) if folder != top else ""


def _positive(read: Callable[[str], float], folder: str) -> float:
    try:
        return max(0.0, read(folder))
    except (OSError, ValueError):
        return 0.0  # the root of a tree has none; "max" is none


def _cores_2(folder: str) -> float:
    most, period = _words(f"{folder}/cpu.max")
    return int(most) / int(period)


def _cores_1(folder: str) -> float:
    """-1 is no quota."""
    return int(_words(f"{folder}/cpu.cfs_quota_us")[0]) / int(
        _words(f"{folder}/cpu.cfs_period_us")[0]
    )


def _memory_2(folder: str) -> float:
    return int(_words(f"{folder}/memory.max")[0])


def _memory_1(folder: str) -> float:
    return int(_words(f"{folder}/memory.limit_in_bytes")[0])


def _words(path: str) -> list[str]:
    with open(path, encoding="ascii") as file:
        return file.read().split()
