"""The kernel calls of a cell, through ctypes: namespaces, mounts, capabilities. Root only."""

from __future__ import annotations

import ctypes
import os

from pytest_mpgrade.system.linux import seccomp

_NEWNS, _NEWIPC, _NEWPID = 0x00020000, 0x08000000, 0x20000000
_MS_RDONLY, _MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
_MNT_DETACH = 2
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP = 1, 24
_DOCKER = {0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31}
"""Capabilities of a container by default (moby, oci/caps/defaults.go); not among them: SYS_ADMIN,
SYS_PTRACE.
"""

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def _checked(result: int, call: str) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), call)


def unshare() -> None:
    """Give the calling process namespaces of its own: mounts, IPC, and processes for its
    children.
    """
    _checked(_libc.unshare(_NEWNS | _NEWIPC | _NEWPID), "unshare")


def end_with_parent() -> None:
    """Be killed when the thread that has started this process ends, however it does."""
    _libc.prctl(_PR_SET_PDEATHSIG, 9, 0, 0, 0)


def mount(source: str, target: str, kind: str = "", options: str = "", flags: int = 0) -> None:
    """Put a file system at *target*."""
    words = [word.encode() if word else None for word in (source, target, kind)]
    _checked(_libc.mount(*words, flags, options.encode() if options else None), f"mount {target}")


def make_private() -> None:
    """Let no mount from here on be seen outside."""
    mount("none", "/", flags=_MS_REC | _MS_PRIVATE)


def bind(source: str, target: str) -> None:
    """Show *source*, with all that is mounted below it, at *target*."""
    mount(source, target, flags=_MS_BIND | _MS_REC)


def make_read_only(target: str) -> None:
    """Forbid writing below a mount point; what is mounted below that is not touched."""
    mount("none", target, flags=_MS_BIND | _MS_REMOUNT | _MS_RDONLY)


def change_root(folder: str) -> None:
    """Make a mount point the root of the file system, and let go of the old one."""
    os.chdir(folder)
    _checked(_libc.syscall(_PIVOT_ROOT[os.uname().machine], b".", b"."), "pivot_root")
    # pivot_root(2): the old root lies over the new one
    _checked(_libc.umount2(b".", _MNT_DETACH), "umount2")
    os.chdir("/")


def like_docker() -> None:
    """Give up what a container has not: most capabilities, and by a filter all ways to new
    namespaces and mounts.
    """
    for number in range(64):
        if number not in _DOCKER:
            _libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0)
    seccomp.install(no_namespaces())


def no_namespaces() -> bytes:
    """Return a filter that denies namespaces and mounts and nothing else."""
    code = seccomp._prologue(seccomp._MACHINE)
    for rule in seccomp._spaces():
        code += rule.code(seccomp._ARCHITECTURES[seccomp._MACHINE][1])
    # clone3's flags lie behind a pointer; to ENOSYS the C library answers with clone, as in a
    # container
    code += seccomp._Rule(call="clone3", error=38).code(seccomp._ARCHITECTURES[seccomp._MACHINE][1])
    return b"".join([*code, seccomp._instruction(seccomp._RETURN, seccomp._ALLOW)])
