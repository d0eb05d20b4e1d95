"""The command line of bubblewrap: new namespaces, and a view of the file system.

The options are those of bwrap(1), 0.8 or newer.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from pytest_mpgrade.isolation.readable import View

INSIDE_UID = 60123
"""The user id of a process inside a user namespace. Outside of it the process belongs to the user
who started the grader; inside it has no capability.
"""
SHM = "/dev/shm"  # noqa: S108 - the sandbox's own
_TMP = "/tmp"  # noqa: S108 - the sandbox's own
_TMP_BYTES = 64_000_000
"""What a run may write into the sandbox's own /tmp, which takes memory. Its scratch folder lies
elsewhere, and has a limit of its own.
"""


def bwrap_command(
    program: str,
    view: View,
    *,
    read: Sequence[str],
    write: Sequence[str],
    folder: str,
    shm_bytes: int,
    seccomp: int,
    spare_uid: int,
) -> list[str]:
    """Return the arguments up to the program to start; it starts in *folder*.

    *read* and *write* are paths that the run sees beside the view. *seccomp* is the file descriptor
    of the filter, -1 for none. *spare_uid* is the user to drop to inside, which needs root outside;
    with 0 the command makes a user namespace.
    """
    words = [program, *_namespaces(spare_uid), *_own_file_systems(shm_bytes)]
    words += _parents([*view.read, *view.own, *read, *write]) + _shown(view)
    for path in read:
        words += ["--ro-bind", path, path]
    for path in write:
        words += ["--bind", path, path]
    words += ["--chdir", folder] + (["--seccomp", str(seccomp)] if seccomp >= 0 else []) + ["--"]
    return words + (_as_user(spare_uid) if spare_uid else [])


def _namespaces(spare_uid: int) -> list[str]:
    """Return the options for new namespaces, and for capabilities in them."""
    words = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
    words.append("--unshare-cgroup-try")
    words += ["--die-with-parent", "--hostname", "grading", "--cap-drop", "ALL"]
    if spare_uid:
        return [*words, "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    user = str(INSIDE_UID)
    return [*words, "--unshare-user", "--disable-userns", "--uid", user, "--gid", user]


def _own_file_systems(shm_bytes: int) -> list[str]:
    """Return the options for file systems that a run shares with no other process."""
    cores = "/sys/devices/system/cpu"
    return [
        *("--proc", "/proc", "--dev", "/dev"),
        *("--size", str(shm_bytes), "--perms", "1777", "--tmpfs", SHM),
        *("--size", str(_TMP_BYTES), "--perms", "1777", "--tmpfs", _TMP),
        *("--ro-bind-try", cores, cores),
    ]


def _as_user(uid: int) -> list[str]:
    """Return the command that drops to a user and starts the words after it (setpriv(1))."""
    return ["setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups", "--"]


def _parents(paths: Sequence[str]) -> list[str]:
    """Return options that make the folders above each path.

    Where bwrap makes such folders by itself, only its own user may enter them.
    """
    above: set[str] = set()
    for path in paths:
        while (path := os.path.dirname(path)) not in ("/", ""):
            above.add(path)
    return [
        word
        for path in sorted(above)
        if not os.path.islink(path)
        for word in ("--perms", "0755", "--dir", path)
    ]


def _shown(view: View) -> list[str]:
    """Return options that bind what is readable, cover what is hidden, and bind our own parts last.

    An empty folder covers each hidden one. Our own parts lie below hidden folders, so their binds
    have to come after these.
    """
    words: list[str] = []
    for path in view.read:
        if os.path.islink(path) and path.count("/") == 1:  # /bin, /lib … of a merged /usr
            words += ["--symlink", os.readlink(path), path]
        else:
            words += ["--ro-bind-try", path, path]
    for path in view.hidden:
        if any(path.startswith(root + "/") for root in view.read):
            words += ["--tmpfs", path]
    for path in view.own:
        words += ["--ro-bind", path, path]
    return words
