"""Control groups: a limit on the processes and the memory of all that a run starts.

They are of version 2, or else of version 1; see cgroups(7), Documentation/admin-guide/cgroup-v2.rst
and cgroup-v1/ of Linux. Root can make them outside of containers, and so can a user to whose
session systemd has delegated a part of the tree.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pytest_mpgrade.system.waiting import wait_until

PROCESSES, MEMORY = "processes", "memory"

_CONTROLLERS = {"pids": PROCESSES, "memory": MEMORY}
_UNIFIED = ""
"""What /proc/self/cgroup gives as the controllers of version 2."""

_STEP = 0.002
"""Seconds between two attempts."""


@dataclass(frozen=True, kw_only=True)
class Cgroup:
    """A group of processes that the kernel limits together.

    Whatever a member starts is a member too.
    """

    folders: tuple[str, ...]  # one in version 2, one per controller in version 1
    limits: frozenset[str]  # of "processes" and "memory": the limits that could be set

    @classmethod
    def create(cls, name: str, *, processes: int, memory: int) -> Cgroup | None:
        """Make an empty group for at most *processes* (threads count) and *memory* bytes.

        Swap counts as memory. The group is made beside or below the caller's own, so that limits
        around that hold as well. The answer is None where no limit can be set: in most containers,
        and for most users. *name* becomes the prefix for which `leftovers` searches. On an
        otherwise unused tree of version 2, its controllers are switched on, and stay so.
        """
        if "/" in name or not name:
            raise ValueError(f"{name!r} cannot be the name of a folder")
        for parents in _places():
            made = [
                folder
                for parent in parents
                if (folder := _folder(f"{parent}/{name}.{_signature(os.getpid())}"))
            ]
            limits = frozenset(
                limit for folder in made for limit in _limit(folder, processes, memory)
            )
            if limits:
                return cls(folders=tuple(made), limits=limits)
            cls(folders=tuple(made), limits=limits).remove()
        return None

    def join(self, pid: int = 0) -> None:
        """Move a process with all its threads into the group; 0 is the calling one.

        A child that calls this between fork and exec does so before it gives up any right. Costs
        some milliseconds. Raises OSError when the process is gone (ESRCH) or must not be moved by
        the caller (EACCES).
        """
        for folder in self.folders:
            _write(f"{folder}/cgroup.procs", pid)

    def processes(self) -> list[int]:
        """Return the members that still run, without zombies; of groups below as well."""
        pids = {pid for top in self.folders for folder in _below(top) for pid in _members(folder)}
        return sorted(pids)

    def out_of_memory(self) -> int:
        """Return how many members the kernel has killed because of the group's memory.

        The answer is 0 where memory is not limited.
        """
        return self._count(("memory.events", "memory.oom_control"), "oom_kill")

    def remove(self, seconds: float = 5.0) -> bool:
        """Remove the group when its last member has gone; tell whether the group is gone.

        It gives up after *seconds*.
        """
        return wait_until(lambda: all(_removed(folder) for folder in self.folders), seconds, _STEP)

    def _count(self, files: tuple[str, ...], key: str) -> int:
        for folder in self.folders:
            for file in files:
                for line in _read(f"{folder}/{file}").splitlines():
                    if line.startswith(key + " "):
                        return int(line.split()[1])
        return 0


def leftovers(prefix: str) -> list[Cgroup]:
    """Return groups whose creators have ended without removing them.

    Their names begin with *prefix*, and the caller may remove them. All groups of the machine are
    searched.
    """
    folders_of: dict[str, list[str]] = {}
    for top in {top for top, _ in own_groups().values()}:
        for folder in _below(top):
            name = os.path.basename(folder)
            if name.startswith(prefix) and _abandoned(name) and os.access(folder, os.W_OK):
                folders_of.setdefault(name, []).append(folder)
    return [Cgroup(folders=tuple(folders), limits=frozenset()) for folders in folders_of.values()]


# --- where groups can be made


def _places() -> Iterator[tuple[str, ...]]:
    """Yield the places where a group may be made, best first.

    A place is one folder of version 2, or one folder for each controller of version 1.
    """
    groups = own_groups()
    if _UNIFIED in groups:
        top, folder = groups[_UNIFIED]
        while folder.startswith(top):
            if _delegates(folder):
                yield (folder,)
            folder = os.path.dirname(folder)
    yield tuple(sorted({groups[name][1] for name in _CONTROLLERS if name in groups}))


def own_groups() -> Mapping[str, tuple[str, str]]:
    """Return by controller where its hierarchy is mounted, and this process's group in it.

    The controller "" stands for version 2.
    """
    return _hierarchies(_read("/proc/self/cgroup"), _read("/proc/self/mountinfo"))


def _hierarchies(groups: str, mounts: str) -> Mapping[str, tuple[str, str]]:
    """Return by controller where its hierarchy is mounted, and the own group's folder in it.

    The controller "" stands for version 2. The arguments are the texts of /proc/self/cgroup and
    /proc/self/mountinfo, see proc(5). In a container the mount may show a part of the tree.
    """
    own: dict[str, str] = {}
    for line in groups.splitlines():
        _, names, path = line.split(":", 2)
        own.update(dict.fromkeys(names.split(","), path))
    hierarchies: dict[str, tuple[str, str]] = {}
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        root, point = before.split()[3:5]
        kind, _, options = after.split(" ", 2)
        controllers = {"cgroup": options.split(","), "cgroup2": [_UNIFIED]}.get(kind, [])
        for name in controllers:
            if name in own and name not in hierarchies:
                below = os.path.relpath(own[name], root) if own[name].startswith(root) else "."
                hierarchies[name] = (
                    point,
                    os.path.normpath(f"{point}/{'.' if below.startswith('..') else below}"),
                )
    return hierarchies


def _delegates(folder: str) -> bool:
    """Tell whether groups below a folder of version 2 have limits; enable them where allowed.

    Groups below a folder with processes cannot have limits, except below the root, which has no
    cgroup.type.
    """
    offered = _CONTROLLERS.keys() & set(_read(f"{folder}/cgroup.controllers").split())
    file = f"{folder}/cgroup.subtree_control"
    enabled = set(_read(file).split())
    root = not os.path.exists(f"{folder}/cgroup.type")
    if not os.access(f"{folder}/cgroup.procs", os.W_OK):
        return False  # no process could be moved from here to below
    for name in offered - enabled if root or not _members(folder) else ():
        if _allows(file, f"+{name}"):
            enabled.add(name)
    return bool(offered & enabled)


def _folder(path: str) -> str:
    """Make a folder; "" where that is not allowed."""
    try:
        os.mkdir(path)
    except OSError:
        return ""
    return path


def _limit(folder: str, processes: int, memory: int) -> Iterator[str]:
    """Set the limits that a folder has; yield their names."""
    if _allows(f"{folder}/pids.max", processes):
        yield PROCESSES
    for memory_file, swap_file, swap in (
        ("memory.max", "memory.swap.max", 0),
        # version 1: of both together
        ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes", memory),
    ):
        if _allows(f"{folder}/{memory_file}", memory):
            _allows(f"{folder}/{swap_file}", swap)  # not every kernel accounts for swap
            yield MEMORY


# --- who made it


def _signature(pid: int) -> str:
    """Return a name of a process that no later one has, and none of another container."""
    return f"{os.stat('/proc/self/ns/pid').st_ino}.{pid}.{_started(pid)}"


def _started(pid: int) -> str:
    """Return when a process was started, in ticks since boot.

    The answer is "" for a zombie, and where there is no process.
    """
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return fields[19] if fields and fields[0] not in "ZX" else ""


def _abandoned(name: str) -> bool:
    words = name.rsplit(".", 3)
    if len(words) != 4 or not all(word.isdecimal() for word in words[1:]):
        return False
    theirs, ours = ".".join(words[1:]), _signature(int(words[2]))
    # a number of another namespace says nothing here
    return theirs != ours and theirs.split(".")[0] == ours.split(".")[0]


# --- files


def _below(top: str) -> Iterator[str]:
    """Yield a folder and all below it, the lowest first."""
    return (folder for folder, _, _ in os.walk(top, topdown=False))


def _members(folder: str) -> list[int]:
    """Return the processes in a folder; 0 stands for those of another namespace."""
    return [int(pid) for pid in _read(f"{folder}/cgroup.procs").split() if pid != "0"]


def _removed(top: str) -> bool:
    """Try once to remove a folder and all below it; tell whether it is gone."""
    for folder in _below(top):
        try:
            os.rmdir(folder)
        except OSError:
            continue  # gone already, or EBUSY: a member is still on its way out
    return not os.path.exists(top)


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""


def _write(path: str, value: int | str) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(file, str(value).encode())
    finally:
        os.close(file)


def _allows(path: str, value: int | str) -> bool:
    """Write a value; False where the kernel refuses that.

    The caller could not change the reasons: there is no such file, it is read-only, or another user
    owns it.
    """
    try:
        _write(path, value)
    except OSError:
        return False
    return True
