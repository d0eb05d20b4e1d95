"""A filter of system calls that a submission could use against the grader or the machine.

The filter answers these calls with an error. It closes what Landlock leaves open: limits,
priorities, signals and system calls by process id, namespaces, UDP. It cannot read what a pointer
points to, so paths (among them /proc/PID/mem) remain Landlock's. It never kills: an exercise gets
an ordinary error. Start methods, pools, managers, threads and TCP work as ever. See seccomp(2),
linux/filter.h.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pytest_mpgrade.system.linux import prctl
from pytest_mpgrade.system.linux.seccomp_table import IPC, NAMESPACES, NEVER, NUMBERS

_MACHINE = platform.machine() if sys.maxsize > 1 << 32 else ""
"""A 32-bit Python makes the calls of another architecture than the kernel's."""

_ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
"""AUDIT_ARCH_* of linux/audit.h, and the column of the tables below."""

_X32 = 512
"""Above the numbers of all calls of x86_64.

Here begin the calls of its x32 kind, which also set bit 30; see syscall_64.tbl.
"""

_BY_PROCESS = (
    "migrate_pages",
    "move_pages",
    "sched_setaffinity",
    "sched_setattr",
    "sched_setparam",
)
"""Calls whose first argument is a process or thread; 0 is the calling thread.

A filter cannot know a process's own id.
"""

_CLONE_NEW = 0x7E020000  # all of CLONE_NEW* that clone(2) takes
# its child would be hidden from ptrace, by which the supervisor observes
_CLONE_UNTRACED = 0x00800000
_SCHED_OTHER = 0
_PRIO_USER, _IOPRIO_WHO_USER = 2, 3  # with 0 for "my own user": the grader's too
_F_SETOWN, _F_SETOWN_EX, _FIOSETOWN, _SIOCSPGRP = 8, 15, 0x8901, 0x8902
_TIOCSTI = 0x5412  # types into a terminal
_UNIX, _INET, _INET6, _NETLINK = 1, 2, 10, 16
_STREAM, _KIND, _TCP = 1, 0xF, 6
_WORD = 0xFFFFFFFF

# Of linux/bpf_common.h and linux/seccomp.h.
_LOAD, _AND, _JUMP_EQUAL, _JUMP_AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16  # offsets in struct seccomp_data
_MOST = 4096  # BPF_MAXINSNS


@dataclass(frozen=True, kw_only=True)
class _Test:
    """One half of an argument, under a mask, equals a value, or does not."""

    argument: int
    value: int  # of 32 bits: ids are int, whatever the upper half of the register says
    equal: bool = True
    mask: int = _WORD
    upper: bool = False

    def code(self, otherwise: int) -> list[bytes]:
        """Fall through when it is true, else skip as many instructions as *otherwise*."""
        # both are little-endian
        load = _instruction(_LOAD, _ARGUMENTS_AT + 8 * self.argument + 4 * self.upper)
        mask = [] if self.mask == _WORD else [_instruction(_AND, self.mask)]
        skip = (0, otherwise) if self.equal else (otherwise, 0)
        return [load, *mask, _instruction(_JUMP_EQUAL, self.value & _WORD, *skip)]


@dataclass(frozen=True, kw_only=True)
class _Rule:
    """A call that gets an error when all tests are true."""

    call: str
    tests: tuple[_Test, ...] = ()
    error: int = errno.EPERM

    def code(self, column: int) -> list[bytes]:
        """Return a block that begins and ends with the call's number loaded.

        So blocks may follow one another in any order.
        """
        number = NUMBERS[self.call][column]
        if number is None:
            return []
        block = [
            _instruction(_RETURN, _ERRNO | self.error),
            *([_load_number()] if self.tests else []),
        ]
        for test in reversed(self.tests):
            # a failed test goes on at the last instruction, which loads the number anew
            block = [*test.code(len(block) - 1), *block]
        return [_instruction(_JUMP_EQUAL, number, 0, len(block)), *block]


def program(
    *,
    shield: Sequence[int] = (),
    alone: bool = False,
    udp: bool = False,
    ipc: bool = False,
    namespaces: bool = False,
    machine: str = _MACHINE,
) -> bytes:
    """Return the filter for `install`, an array of struct sock_filter.

    It is empty for architectures that it does not know.

    *shield* has the processes that must not get signals, where neither Landlock's scope nor a
    namespace nor another user id keeps signals away from them. They are the grader's own, as
    numbered where the submission runs, with their process groups and, as kill(2) takes those too,
    their threads. *alone* says that the submission cannot reach processes of others anyway, so a
    process may set the scheduling and the limits of its own by number. *udp* allows sockets of all
    kinds; else UNIX, TCP and netlink are allowed. *ipc* allows System V's shared memory, semaphores
    and queues, and POSIX's queues, whose leftovers nobody could find. *namespaces* allows what a
    sandbox like bubblewrap needs to build itself. Raises ValueError when the shield is too long for
    the kernel (about 100 ids).
    """
    if machine not in _ARCHITECTURES:
        return b""
    column = _ARCHITECTURES[machine][1]
    code = _prologue(machine)
    rules = [*_always(), *_shielded(shield)]
    for allowed, denied_else in (
        (alone, _others()),
        (udp, _sockets()),
        (ipc, _ipc()),
        (namespaces, _spaces()),
    ):
        rules += () if allowed else denied_else
    for rule in rules:
        code += rule.code(column)
    code.append(_instruction(_RETURN, _ALLOW))
    if len(code) > _MOST:
        raise ValueError(
            f"a shield of {len(shield)} ids is too long: {len(code)} instructions, at most {_MOST}"
        )
    return b"".join(code)


def _prologue(machine: str) -> list[bytes]:
    """Deny all calls of another architecture, and load the call's number.

    In another architecture the same number is another call.
    """
    denied = _instruction(_RETURN, _ERRNO | errno.EPERM)
    code = [
        _instruction(_LOAD, _ARCHITECTURE_AT),
        _instruction(_JUMP_EQUAL, _ARCHITECTURES[machine][0], 1, 0),
        denied,
    ]
    code.append(_load_number())
    return code + (
        [_instruction(_JUMP_AT_LEAST, _X32, 0, 1), denied] if machine == "x86_64" else []
    )


class _Program(ctypes.Structure):
    """The struct sock_fprog of linux/filter.h."""

    _fields_ = (("len", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def install(filter_: bytes) -> None:
    """Put the calling thread, and all that it will start, under the filter of `program`.

    It stays so for ever; an empty filter is not installed. Call it in a forked child before that
    executes anything; it sets NO_NEW_PRIVS (prctl(2)). Raises OSError when the kernel refuses.
    """
    if not filter_:
        return
    fprog = _Program(len(filter_) // 8, filter_)
    prctl.gain_no_privileges()
    prctl.filter_calls(ctypes.addressof(fprog))


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _load_number() -> bytes:
    return _instruction(_LOAD, _NUMBER_AT)


def _always() -> Iterator[_Rule]:
    for call in NEVER:
        yield _Rule(call=call)
    # its requests are calls that no filter sees
    yield _Rule(call="io_uring_setup", error=errno.ENOSYS)
    # its flags lie behind a pointer; to ENOSYS glibc answers with clone(2)
    yield _Rule(call="clone3", error=errno.ENOSYS)
    yield _Rule(
        call="clone", tests=(_Test(argument=0, value=0, equal=False, mask=_CLONE_UNTRACED),)
    )
    yield _Rule(call="kill", tests=(_Test(argument=0, value=-1),))
    yield _Rule(call="ioctl", tests=(_Test(argument=1, value=_TIOCSTI),))


def _others() -> Iterator[_Rule]:
    for call in _BY_PROCESS:
        yield _Rule(call=call, tests=(_Test(argument=0, value=0, equal=False),))
    for call, which in (("setpriority", _PRIO_USER), ("ioprio_set", _IOPRIO_WHO_USER)):
        yield _Rule(call=call, tests=(_Test(argument=1, value=0, equal=False),))
        yield _Rule(call=call, tests=(_Test(argument=0, value=which),))
    # By which ZeroMQ gives its threads, by their number, the policy that they have. SCHED_OTHER is
    # nobody's loss.
    policy = _Test(argument=1, value=_SCHED_OTHER, equal=False)
    yield _Rule(call="sched_setscheduler", tests=(_Test(argument=0, value=0, equal=False), policy))
    for upper in (False, True):  # limits of others may be read: the new ones are NULL then
        new = _Test(argument=2, value=0, equal=False, upper=upper)
        yield _Rule(call="prlimit64", tests=(_Test(argument=0, value=0, equal=False), new))


def _shielded(shield: Iterable[int]) -> Iterator[_Rule]:
    ids = sorted(set(shield))
    for one in ids:
        for call in (
            "kill",
            "pidfd_open",
            "rt_sigqueueinfo",
            "rt_tgsigqueueinfo",
            "tgkill",
            "tkill",
        ):
            yield _Rule(call=call, tests=(_Test(argument=0, value=one),))
        yield _Rule(call="kill", tests=(_Test(argument=0, value=-one),))
    if ids:
        # takes /proc/PID as well as what pidfd_open(2) returns
        yield _Rule(call="pidfd_send_signal")
        # F_SETSIG lets an owner get any signal, SIGKILL too; whom they name lies behind a pointer
        # but for F_SETOWN
        for command in (_F_SETOWN, _F_SETOWN_EX):
            yield _Rule(call="fcntl", tests=(_Test(argument=1, value=command),))
        for command in (_FIOSETOWN, _SIOCSPGRP):
            yield _Rule(call="ioctl", tests=(_Test(argument=1, value=command),))


def _sockets() -> Iterator[_Rule]:
    families = tuple(
        _Test(argument=0, value=one, equal=False) for one in (_UNIX, _INET, _INET6, _NETLINK)
    )
    yield _Rule(call="socket", tests=families, error=errno.EACCES)
    for family in (_INET, _INET6):
        mine = _Test(argument=0, value=family)
        datagrams = _Test(argument=1, value=_STREAM, equal=False, mask=_KIND)
        # MPTCP and SCTP are streams, too, and Landlock's rules for TCP do not hold for them
        others = tuple(_Test(argument=2, value=one, equal=False) for one in (0, _TCP))
        yield _Rule(call="socket", tests=(mine, datagrams), error=errno.EACCES)
        yield _Rule(call="socket", tests=(mine, *others), error=errno.EACCES)


def _ipc() -> Iterator[_Rule]:
    for call in IPC:
        yield _Rule(call=call, error=errno.ENOSYS)


def _spaces() -> Iterator[_Rule]:
    for call in NAMESPACES:
        yield _Rule(call=call)
    yield _Rule(call="clone", tests=(_Test(argument=0, value=0, equal=False, mask=_CLONE_NEW),))
