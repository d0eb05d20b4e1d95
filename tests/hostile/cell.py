"""A cell: namespaces, a file system and a control group of its own, in which one grading is made;
needs root.

What is written goes to a layer over the real file system that only this cell sees; so what is left
afterwards, of files, names, IPC and processes, is known exactly, and nothing of it is real. Started
by `grading.py` as a program, with an Order in JSON on standard input; answers with a Left in JSON
on standard output.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import stat
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hostile import kernel

_END_SECONDS = 10.0
"""What servers may take to go after the grader, by which they know that they are not needed."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to grade, and as whom."""

    command: list[str]
    environment: dict[str, str]
    folder: str  # of this cell; results and nothing else may be written to `out` below it
    user: int = 0
    docker: bool = False
    seconds: float = 600.0

    @property
    def out(self) -> str:
        """Where results go."""
        return f"{self.folder}/out"

    @property
    def home(self) -> str:
        """The home folder of who grades."""
        return f"{self.folder}/home"

    @property
    def tmp(self) -> str:
        """The temporary folder of who grades; a short name: below it lie sockets of forkserver's,
        see unix(7).
        """
        return f"{self.folder}/tmp"


@dataclass(frozen=True, kw_only=True)
class Left:
    """What came of it."""

    code: int | None = None  # the grader's exit code; None: it had to be ended
    result: str = ""  # the text of result.json
    said: str = ""
    left: list[str] = field(default_factory=list)
    seconds: float = 0.0
    broke: str = ""  # why there is no cell


def main() -> None:
    """Be the cell."""
    kernel.end_with_parent()
    order = Order(**json.load(sys.stdin))
    report, answer = os.pipe()
    try:
        kernel.unshare()
    except OSError as error:
        print(json.dumps({"broke": str(error)}))
        return
    first = os.fork()
    if first == 0:
        kernel.end_with_parent()  # and so do all others of the cell
        os.close(report)
        try:
            _write(answer, dataclasses.asdict(_first(order)))
        except BaseException as error:
            _write(answer, {"broke": f"{type(error).__name__}: {error}"})
        os._exit(0)
    os.close(answer)
    with open(report, encoding="utf-8") as file:
        sys.stdout.write(file.read() or json.dumps({"broke": "the cell's first process was ended"}))
    os.waitpid(first, 0)


def _write(answer: int, told: dict[str, Any]) -> None:
    with open(answer, "w", encoding="utf-8", closefd=False) as file:
        json.dump(told, file)


def _first(order: Order) -> Left:
    """The first process of the cell: all orphans come to it, and all others end with it."""
    lower, upper = _own_root(order)
    began = time.monotonic()
    code, said = _grade(order)
    return Left(
        code=code,
        said=said[-2000:],
        result=_result(order),
        left=[*_processes(), *_names(), *_files(order, lower, upper)],
        seconds=time.monotonic() - began,
    )


def _own_root(order: Order) -> tuple[int, int]:
    """Put a layer over the file system; return the open folders of what is below it, and of what
    will be written.
    """
    kernel.make_private()
    kernel.mount("cell", order.folder, "tmpfs", "mode=755,size=3g")
    for name in ("upper", "work", "root"):
        os.mkdir(f"{order.folder}/{name}")
    os.chmod(f"{order.folder}/upper", 0o755)
    lower, upper = (
        os.open(path, os.O_RDONLY | os.O_DIRECTORY) for path in ("/", f"{order.folder}/upper")
    )
    root = f"{order.folder}/root"
    kernel.mount(
        "cell",
        root,
        "overlay",
        f"lowerdir=/,upperdir={order.folder}/upper,workdir={order.folder}/work",
    )
    for name in ("dev", "sys"):
        kernel.bind(f"/{name}", f"{root}/{name}")
    kernel.mount("shm", f"{root}/dev/shm", "tmpfs", "mode=1777,size=1g")
    # Graders reserve users by files there, each machine by its own; the real folder changes while
    # it lies below.
    kernel.mount("run", f"{root}/run", "tmpfs", "mode=755,size=16m")
    os.mkdir(f"{root}/run/lock")
    os.chmod(f"{root}/run/lock", 0o1777)
    if order.docker and os.path.isdir("/sys/fs/cgroup"):
        # Nothing below it is to be found, which is what a container without control groups looks
        # like.
        kernel.mount("none", f"{root}/sys/fs/cgroup", "tmpfs", "mode=755")
        kernel.make_read_only(f"{root}/sys/fs/cgroup")
    kernel.mount("proc", f"{root}/proc", "proc")
    kernel.change_root(root)
    for path in (order.folder, order.out, order.home, order.tmp):
        os.makedirs(path, exist_ok=True)
        os.chmod(path, 0o755)
        os.chown(path, order.user, order.user)
    return lower, upper


def _grade(order: Order) -> tuple[int | None, str]:
    """Start the grader, take in orphans, and wait for its end."""
    with open(f"{order.folder}/said", "w+b") as said:
        grader = os.fork()
        if grader == 0:
            _become_grader(order, said.fileno())
        code = _await(grader, order.seconds)
        if code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(grader, signal.SIGKILL)
        said.seek(0)
        return code, said.read().decode(errors="replace")


def _become_grader(order: Order, said: int) -> None:
    try:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(said, 1)
        os.dup2(said, 2)
        os.closerange(3, 256)
        if order.user:
            os.setgroups([])
            os.setresgid(order.user, order.user, order.user)
        if order.docker:
            kernel.like_docker()
        if order.user:
            os.setresuid(order.user, order.user, order.user)
        os.execve(order.command[0], order.command, order.environment)
    except BaseException as error:
        os.write(2, f"could not be started: {error}".encode())
    finally:
        os._exit(127)


def _await(grader: int, seconds: float) -> int | None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == grader:
            return os.waitstatus_to_exitcode(status)
        if not pid:
            time.sleep(0.02)
    return None


def _result(order: Order) -> str:
    found = [entry.path for entry in os.scandir(order.out) if entry.is_dir(follow_symlinks=False)]
    try:
        with open(f"{found[0]}/result.json", encoding="utf-8") as file:
            return file.read(20_000_000)
    except (OSError, IndexError):
        return ""


def _processes() -> Iterator[str]:
    """Name the processes that are still there some time after the grader."""
    end = time.monotonic() + _END_SECONDS
    while True:
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        found = [name for name in os.listdir("/proc") if name.isdigit() and name != "1"]
        if not found or time.monotonic() > end:
            break
        time.sleep(0.05)
    for pid in found:
        with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
            yield (
                f"process {pid}"
                f" {file.read().replace(bytes(1), b' ').decode(errors='replace')[:120]}"
            )


def _names() -> Iterator[str]:
    """Name shared memory, semaphores, queues and locks: all of them were made here."""
    for place in ("/dev/shm", "/run", "/run/lock"):
        yield from (
            f"{place}/{name}" for name in os.listdir(place) if f"{place}/{name}" != "/run/lock"
        )
    for kind in ("shm", "sem", "msg"):
        with open(f"/proc/sysvipc/{kind}", encoding="ascii") as file:
            yield from (
                f"System V {kind} {line.split()[0]}" for line in file.read().splitlines()[1:]
            )


def _files(order: Order, lower: int, upper: int) -> Iterator[str]:
    """Name what was written, changed or removed anywhere but in the folder for results; of a new
    folder only itself.
    """
    results = {order.out.lstrip("/"), f"{order.folder}/said".lstrip("/")}
    made = {path.lstrip("/") for path in (order.folder, order.home, order.tmp)}
    for folder, names, files, handle in os.fwalk(".", dir_fd=upper):
        known = []
        for name in (*names, *files):
            path = os.path.normpath(f"{folder}/{name}")
            whole = os.stat(name, dir_fd=handle, follow_symlinks=False)
            if stat.S_ISDIR(whole.st_mode) and (path in made or _is_dir(path, lower)):
                known += [name] if path not in results else []
            elif path not in results:
                # how a layer says that a file was removed
                gone = stat.S_ISCHR(whole.st_mode) and not whole.st_rdev
                yield f"/{path}" + " (removed)" * gone
        names[:] = known


def _is_dir(path: str, folder: int) -> bool:
    try:
        return stat.S_ISDIR(os.stat(path, dir_fd=folder, follow_symlinks=False).st_mode)
    except OSError:
        return False


if __name__ == "__main__":
    main()
