"""`mpgrade doctor`: try what this machine can do for a grading, and name remedies for the rest."""

from __future__ import annotations

import multiprocessing
import os
import platform
import shutil
import socket
import struct
import sys
import textwrap
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory

from pytest_mpgrade.doctor import allowed, isolation
from pytest_mpgrade.doctor.facility import Facility
from pytest_mpgrade.errors import MpgradeError
from pytest_mpgrade.records import Assignment
from pytest_mpgrade.system.quotas import usable_cores
from pytest_mpgrade.system.text import encodable, joined

_LINUX = sys.platform == "linux"


def main(assignment: Assignment | None = None) -> int:
    """Print all rows; return 0, or 3 where nothing can be graded here."""
    rows = list(diagnose(assignment))
    width = min(shutil.get_terminal_size((80, 24)).columns, 120)
    for row in rows:
        mark = "ok     " if row.found else "MISSING" if row.needed else "missing"
        text = textwrap.fill(
            f"{mark}  {row.text}", width, subsequent_indent=" " * 11, break_on_hyphens=False
        )
        print(encodable(text, sys.stdout.encoding), flush=True)
    return 3 if any(row.needed and not row.found for row in rows) else 0


def diagnose(assignment: Assignment | None = None) -> Iterator[Facility]:
    """Try every facility that a grading uses, required ones first.

    The packages that are looked for are those that *assignment* allows.
    """
    yield _python()
    yield _start_methods()
    yield Facility(
        name="platform", found=f"{sys.platform}, {platform.machine()}, kernel {platform.release()}"
    )
    yield _cores()
    yield from isolation.isolation_facilities()
    yield from _observers()
    yield _sockets()
    yield _subreaper()
    yield from _packages()
    yield from _references(assignment)


def _python() -> Facility:
    version = platform.python_version() if sys.version_info >= (3, 10) else ""
    return Facility(
        name="Python", found=version, consequence="3.10 or newer is needed", needed=True
    )


def _start_methods() -> Facility:
    methods = multiprocessing.get_all_start_methods()
    lacking = [method for method in ("fork", "spawn", "forkserver") if method not in methods]
    note = f" (no {joined(lacking)} here: those checks are skipped)" if lacking else ""
    return Facility(
        name="start methods",
        found=joined(methods) + note,
        consequence="no process can be started",
        needed=True,
    )


def _cores() -> Facility:
    usable = usable_cores()
    if usable >= 2:
        return Facility(name="cores", found=f"{usable} usable of {os.cpu_count()}")
    return Facility(
        name="cores",
        consequence=(
            "only one is usable: how much faster than one process it is cannot be told, all else is"
            " decided"
        ),
        remedy="allow two cores (taskset, docker run --cpus, the CI runner's size)",
    )


def _observers() -> Iterator[Facility]:
    psutil = _installed("psutil")
    failure = _in_child(_try_ptrace) if _LINUX else "Linux only"
    yield Facility(
        name="ptrace",
        found="" if failure else "can watch a child process",
        consequence=(
            f"{failure}: processes are watched by psutil, which can miss short ones and their exit"
            " codes"
        ),
        remedy=(
            "kernel.yama.ptrace_scope up to 1, docker run --cap-add SYS_PTRACE" if _LINUX else ""
        ),
        needed=bool(failure) and not psutil,
    )
    failure = _in_child(_try_syscall_file) if _LINUX else "Linux only"
    yield Facility(
        name="/proc/PID/task/TID/syscall",
        found="" if failure else "readable",
        consequence=(
            f"{failure}: a deadlock is found by its silence, some seconds later, and not proven"
        ),
        remedy="allow ptrace" if _LINUX else "",
    )


def _in_child(attempt: Callable[[], None]) -> str:
    """Try something that may leave traces, in a forked process; return why it failed, or ""."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writer, _failure(attempt).encode()[:200])
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read().decode()
    os.waitpid(pid, 0)
    return said


def _failure(attempt: Callable[[], None]) -> str:
    """Return why an attempt fails, or ""."""
    try:
        attempt()
    except Exception as error:
        return (getattr(error, "strerror", "") or str(error) or type(error).__name__).lower()
    return ""


def _sleeper() -> tuple[int, int]:
    """Fork a process that waits until the returned descriptor is closed, or we have ended."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(writer)
        os.read(reader, 1)
        os._exit(7)
    os.close(reader)
    return pid, writer


def _try_ptrace() -> None:
    from pytest_mpgrade.system.linux import ptrace

    pid, rope = _sleeper()
    ptrace.seize(pid)
    os.close(rope)
    seen = ptrace.wait_any()
    if seen is None or seen[0] != pid or os.waitstatus_to_exitcode(seen[1]) != 7:
        raise RuntimeError("it saw another end than there was")


def _try_syscall_file() -> None:
    pid, rope = _sleeper()
    try:
        if not Path(f"/proc/{pid}/task/{pid}/syscall").read_text().strip():
            raise RuntimeError("empty")
    finally:
        os.close(rope)
        os.waitpid(pid, 0)


def _sockets() -> Facility:
    failure = _failure(_try_sockets) if _LINUX else "Linux only"
    return Facility(
        name="attested sockets (SEQPACKET, SO_PASSCRED)",
        found="" if failure else "the kernel names the sender of each message",
        consequence=(
            f"{failure}: senders at the gates name themselves, which a submission could forge"
        ),
        remedy="a writable temporary folder (TMPDIR)" if _LINUX else "",
    )


def _try_sockets() -> None:
    with (
        TemporaryDirectory(prefix="mpgrade-") as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server,
    ):
        server.bind(os.path.join(folder, "s"))
        server.listen()
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
            client.connect(os.path.join(folder, "s"))
            receiver, _ = server.accept()
            with receiver:
                receiver.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
                client.send(b"?")
                _, extra, _, _ = receiver.recvmsg(16, socket.CMSG_SPACE(12))
    if not extra or struct.unpack("iII", extra[0][2])[0] != os.getpid():
        raise RuntimeError("the sender was not named")


def _subreaper() -> Facility:
    failure = _in_child(_try_subreaper) if _LINUX else "Linux only"
    return Facility(
        name="subreaper",
        found="" if failure else "orphans come to the supervisor",
        consequence=f"{failure}: a process that leaves its session may outlive a grading",
        remedy="Linux 3.4 or newer" if _LINUX else "",
    )


def _try_subreaper() -> None:
    from pytest_mpgrade.system.linux import prctl

    prctl.become_subreaper()
    middle = os.fork()
    if middle == 0:
        if os.fork() == 0:
            os._exit(9)
        os._exit(0)
    codes = sorted(os.waitstatus_to_exitcode(os.waitpid(-1, 0)[1]) for _ in range(2))
    if codes != [0, 9]:
        raise RuntimeError("the orphan went elsewhere")


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _packages() -> Iterator[Facility]:
    for name, consequence, extra in (
        ("numpy", "results that are arrays cannot be graded", ""),
        ("py-spy", "hangs are explained without the stacks of all processes", "stacks"),
        ("scikit-learn", "cross_validation and builtin_parallelism cannot be graded", "course"),
        ("nbclient", "notebooks cannot be executed", "notebook"),
        ("distributed", "batches run on this machine, or as a Slurm job array", "cluster"),
        ("pytest-xdist", "pytest -n is not there; a batch does not need it", "xdist"),
    ):
        wanted = f"pytest-mpgrade[{extra}]" if extra else name
        yield Facility(
            name=name,
            found=_installed(name),
            consequence=consequence,
            remedy=f"pip install '{wanted}'",
        )


def _references(assignment: Assignment | None) -> Iterator[Facility]:
    from pytest_mpgrade.course.assignment import reference_folder, shipped

    try:
        found = shipped()
    except MpgradeError as error:
        yield Facility(
            name="assignments",
            consequence=str(error),
            remedy="correct it, or install again",
            needed=True,
        )
        return
    yield from allowed.package_facilities([assignment] if assignment else found)
    missing = [each.name for each in found if reference_folder(each) is None]
    yield Facility(
        name="assignments",
        found=", ".join(each.name for each in found),
        consequence="none came with this installation",
        remedy="pip install --force-reinstall pytest-mpgrade, or name an assignment by its folder",
    )
    yield Facility(
        name="reference solutions",
        found="" if missing or not found else f"for all {len(found)} assignments",
        consequence=(
            f"none for {joined(missing) or 'any'}: verify and comparisons of speed need them"
        ),
        remedy=(
            "use a source tree that has reference/; students' installations come without on purpose"
        ),
    )
