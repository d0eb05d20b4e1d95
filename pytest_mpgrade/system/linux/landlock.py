"""Landlock: an allow-list of files for a process and all that it starts.

It also closes the way to ports and processes of others. It needs no privilege and cannot be undone.
See landlock(7); numbers from linux/landlock.h and asm-generic/unistd.h. It does not cover files
that are open already, UNIX sockets by path, UDP, and the calls that `seccomp` denies.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
from collections.abc import Iterable, Sequence

from pytest_mpgrade.system.linux import prctl

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_CREATE_RULESET_VERSION = 1
_RULE_PATH_BENEATH, _RULE_NET_PORT = 1, 2
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REFER, _TRUNCATE, _IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
"""Rights that a rule for anything but a directory may name.

The kernel refuses another one with EINVAL.
"""

_FILES_SINCE = {1: (1 << 13) - 1, 2: _REFER, 3: _TRUNCATE, 5: _IOCTL_DEV}
"""Rights on files, by the ABI that brought them."""

_CONNECT = 1 << 1
_TCP = 1 << 0 | _CONNECT  # bind, connect
_SCOPES = 1 << 0 | 1 << 1  # abstract UNIX sockets, signals
_TCP_SINCE, _SCOPES_SINCE = 4, 6  # the ABI that brought them


_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.argtypes = [ctypes.c_long] * 5
_libc.syscall.restype = ctypes.c_long


def abi() -> int:
    """Return the version of Landlock in this kernel; 0 where it is missing or switched off."""
    return max(int(_libc.syscall(_CREATE_RULESET, 0, 0, _CREATE_RULESET_VERSION, 0)), 0)


def ruleset(
    read: Sequence[str],
    write: Sequence[str],
    *,
    listed: Sequence[str] = (),
    network: bool = False,
    port: int = 0,
) -> int | None:
    """Return a file descriptor (close-on-exec) of rules for `restrict`; None without Landlock.

    Below *read*, files may be read, executed and listed. Below *write*, all is allowed. Either
    names folders or single files; a device that is written to belongs to *write*. A link stands for
    its target. What does not exist, or cannot be reached by the caller, is left out. Below
    *listed*, names are visible and nothing can be opened. TCP is allowed with *network* only, or to
    one *port*. Call it with the caller's rights, before the child is forked. Raises OSError when
    the kernel refuses a rule.
    """
    version = abi()
    if not version:
        return None
    handled = sum(rights for since, rights in _FILES_SINCE.items() if version >= since)
    tcp = 0 if network or version < _TCP_SINCE else _TCP
    attributes = struct.pack("=QQQ", handled, tcp, _SCOPES)
    # E2BIG for what it does not know yet
    size = 8 if version < _TCP_SINCE else 16 if version < _SCOPES_SINCE else 24
    buffer = ctypes.create_string_buffer(attributes[:size], size)
    rules = _checked(
        _libc.syscall(_CREATE_RULESET, ctypes.addressof(buffer), size, 0, 0),
        "landlock_create_ruleset",
    )
    try:
        _allow(rules, read, _READ & handled)
        _allow(rules, write, handled)
        _allow(rules, listed, _READ_DIR & handled)
        if port and tcp:
            rule = ctypes.create_string_buffer(struct.pack("=QQ", _CONNECT, port), 16)
            done = _libc.syscall(_ADD_RULE, rules, _RULE_NET_PORT, ctypes.addressof(rule), 0)
            _checked(done, "landlock_add_rule(port)")
    except BaseException:
        os.close(rules)
        raise
    return rules


def restrict(rules: int) -> None:
    """Put the calling thread, and all that it will start, under the rules of `ruleset`, for ever.

    Called in a forked child before it executes anything; sets NO_NEW_PRIVS (prctl(2)). Raises
    OSError when refused.
    """
    prctl.gain_no_privileges()
    _checked(_libc.syscall(_RESTRICT_SELF, rules, 0, 0, 0), "landlock_restrict_self")


def _allow(rules: int, paths: Iterable[str], rights: int) -> None:
    for path in paths:
        try:
            target = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            continue
        try:
            folder = stat.S_ISDIR(os.fstat(target).st_mode)
            rule = ctypes.create_string_buffer(
                struct.pack("=Qi", rights if folder else rights & _OF_FILES, target), 12
            )
            done = _libc.syscall(_ADD_RULE, rules, _RULE_PATH_BENEATH, ctypes.addressof(rule), 0)
            if done < 0 and ctypes.get_errno() == errno.EBADFD:
                # /dev/stdout and the like lead to a pipe or socket: no rule can name it, and none
                # is needed
                continue
            _checked(done, f"landlock_add_rule({path})")
        finally:
            os.close(target)


def _checked(result: int, call: str) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), call)
    return result
