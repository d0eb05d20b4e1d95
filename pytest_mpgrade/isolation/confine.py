"""The isolation and the limits of one run; the supervisor and the probe start processes in it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from pytest_mpgrade.isolation.layer import Isolation
from pytest_mpgrade.isolation.run_folder import RunFolder
from pytest_mpgrade.isolation.start import Start
from pytest_mpgrade.records import Limits

if TYPE_CHECKING:
    from pytest_mpgrade.system.linux.cgroups import Cgroup
    from pytest_mpgrade.system.linux.spare_user import SpareUid

CGROUP = "mpgrade-"
AHEAD = 10
"""Steps of nice(2) by which supervisors go before student code, where they have the right to."""
SPARE_PROCESSES = 2048
"""Processes that a user may start in addition to those that run now.

It applies where RLIMIT_NPROC can count only all processes of the user together.
"""
_DEVICES = (
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/tty",
    "/dev/ptmx",
    "/dev/pts",
)


class Confinement:
    """The isolation of one run, with what has to be given back when the run is over.

    The constructor raises OSError where the machine cannot give the isolation now: no spare user is
    free, or a kernel call fails.
    """

    def __init__(
        self,
        isolation: Isolation,
        folder: RunFolder,
        submission: str,
        limits: Limits,
        *,
        port: int = 0,
    ) -> None:
        self._port = port  # of TCP on this machine, which the run may connect to; 0: to none
        self._isolation, self._folder, self._limits = isolation, folder, limits
        # The grader's own control run has no submission.
        self._shown = [path for path in (submission, folder.gates) if path]
        self._linux = sys.platform.startswith("linux")
        self._files: list[int] = []
        self.uid = 0
        self._spare: SpareUid | None = None
        self.cgroup: Cgroup | None = None
        try:
            self._take()
        except BaseException:
            self.close()
            raise

    def _take(self) -> None:
        """Take a user and a cgroup that belong to this run alone as long as it lasts."""
        if self._isolation.spare_uid:
            from pytest_mpgrade.system.linux.spare_user import SpareUid

            self._spare = SpareUid()
            self.uid = self._spare.uid
            folder = self._folder
            for path, _, names in os.walk(folder.path):
                for name in (path, *(os.path.join(path, name) for name in names)):
                    if name.startswith((folder.scratch, folder.box)):
                        # The group stays ours. bwrap enters as root without capabilities, and
                        # needs the group's rights for that.
                        os.chown(name, self.uid, -1, follow_symlinks=False)
        self.cgroup = self._cgroup() if self._linux else None

    @property
    def private_shm(self) -> bool:
        """Tell whether the run has a /dev/shm of its own."""
        return bool(self._isolation.bwrap)

    def out_of_memory(self) -> int:
        """Return how many of the run's processes the kernel has killed for their memory.

        The kernel counts them only where the run has a cgroup; elsewhere the answer is 0.
        """
        return self.cgroup.out_of_memory() if self.cgroup is not None else 0

    def start(
        self, argv: Sequence[str], env: Mapping[str, str], shield: Sequence[int] = ()
    ) -> Start:
        """Return how to start *argv* in this isolation.

        *shield* lists processes of the grader that processes inside cannot signal.
        """
        folder = self._folder
        enter: Callable[[], None] = lambda: None  # noqa: E731 - nothing to do, with a type
        words = list(argv)
        if self._linux:
            enter, words = self._linux_start(words, shield)
        return Start(
            argv=words,
            env=env,
            cwd="/" if self._isolation.bwrap else folder.scratch,
            out=os.path.join(folder.path, "out"),
            err=os.path.join(folder.path, "err"),
            enter=enter,
            keep=tuple(self._files) if self._isolation.bwrap else (),
        )

    def _linux_start(
        self, argv: list[str], shield: Sequence[int]
    ) -> tuple[Callable[[], None], list[str]]:
        from pytest_mpgrade.isolation import bwrap
        from pytest_mpgrade.system.linux import seccomp

        kept, folder = self._isolation, self._folder
        shield = () if kept.spare_uid or kept.bwrap else shield
        inside = bool(kept.bwrap)
        program = b""
        if kept.seccomp:
            program = seccomp.program(
                shield=shield, alone=inside or kept.spare_uid, udp=inside, ipc=inside
            )
        if not kept.bwrap:
            return self._entering(program, self._ruleset()), argv
        words = bwrap.bwrap_command(
            kept.bwrap,
            kept.view,
            read=self._shown,
            folder=folder.scratch,
            write=[folder.scratch, folder.box, folder.stacks],
            shm_bytes=self._limits.disk_bytes,
            seccomp=self._memory_file(program) if program else -1,
            spare_uid=self.uid,
        )
        return self._entering(b"", None), words + argv

    def _entering(self, filter: bytes, rules: int | None) -> Callable[[], None]:
        """Return the steps that a new process takes before it executes its program.

        The steps are in an order in which each of them is still permitted.
        """
        import resource

        from pytest_mpgrade.system.linux import landlock, ptrace, seccomp

        kept, uid, cgroup, limits = self._isolation, self.uid, self.cgroup, self._resources()

        def enter() -> None:
            if cgroup is not None:
                cgroup.join()
            _die_first()
            _get_in_line()
            for number, value in limits:
                resource.setrlimit(number, (value, value))
            if not kept.bwrap and uid:
                ptrace.become(uid)
            elif not kept.bwrap and kept.level != "none" and os.geteuid() == 0:
                ptrace.drop_capabilities()
            if rules is not None:
                landlock.restrict(rules)
            if filter:
                seccomp.install(filter)

        return enter

    def _resources(self) -> list[tuple[int, int]]:
        import resource

        limits = self._limits
        rlimits = [
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_FSIZE, limits.file_bytes),
            (resource.RLIMIT_CPU, int(limits.cpu_seconds) + 1),
            # Programs reserve address space that they never use, so this limit is only a backstop
            # behind the memory that the supervisor measures.
            (resource.RLIMIT_AS, 2 * limits.memory_bytes + 1_000_000_000),
        ]
        if self._isolation.level != "none" and not self._isolation.bwrap:
            rlimits.append((resource.RLIMIT_NPROC, self.most_processes()))
        return [(number, _at_most(number, value)) for number, value in rlimits]

    def most_processes(self) -> int:
        """Return the kernel's limit on the processes of the user.

        It lies above the limit that the supervisor counts itself. A spare user has no processes
        elsewhere, so only another user needs the spare ones.
        """
        alone = bool(self.uid or self._isolation.bwrap)
        return 2 * self._limits.processes + (
            100 if alone else SPARE_PROCESSES + _threads_of(os.getuid())
        )

    def _ruleset(self) -> int | None:
        if not self._isolation.landlock:
            return None
        from pytest_mpgrade.system.linux import landlock

        folder = self._folder
        kernel = ("/proc", "/sys/devices/system", "/sys/fs/cgroup")  # joblib reads the last one
        read = [*self._isolation.view.allowed(), *self._shown, *kernel]
        write = [
            folder.scratch,
            folder.box,
            folder.stacks,
            "/dev/shm",  # noqa: S108 - semaphores live there
            *_DEVICES,
        ]
        rules = landlock.ruleset(read, write, listed=self._isolation.view.listed(), port=self._port)
        if rules is not None:
            self._files.append(rules)
        return rules

    def _memory_file(self, data: bytes) -> int:
        file = os.memfd_create("filter", 0)
        os.write(file, data)
        os.lseek(file, 0, os.SEEK_SET)
        os.set_inheritable(file, True)
        self._files.append(file)
        return file

    def _cgroup(self) -> Cgroup | None:
        """Return a cgroup with the kernel's own limits, or None where none can be made.

        They are a backstop behind the limits that the supervisor counts, which have a message for
        the student.
        """
        from pytest_mpgrade.system.linux.cgroups import Cgroup

        if self._isolation.level == "none":
            return None
        limits = self._limits
        name = f"{CGROUP}{os.getpid()}-{os.path.basename(self._folder.path)}"
        return Cgroup.create(name, processes=self.most_processes(), memory=limits.memory_bytes)

    def close(self) -> list[str]:
        """Give everything back when all processes have ended.

        Return the paths of files that the spare user had left elsewhere.
        """
        for file in self._files:
            os.close(file)
        self._files.clear()
        if self.cgroup is not None:
            self.cgroup.remove()
        removed: list[str] = []
        if self._spare is not None:
            removed = [] if self._isolation.bwrap else self._spare.sweep()
            self._spare.release()
        return removed


def _at_most(number: int, value: int) -> int:
    """Return a limit that may be set: the value, but no more than the hard limit in force."""
    import resource  # here: Windows has none, and imports this module

    hard = resource.getrlimit(number)[1]
    return value if hard == resource.RLIM_INFINITY else min(value, hard)


def _die_first() -> None:
    """Make the kernel kill student code first where the machine runs out of memory.

    It does so by oom_score_adj (proc(5)).
    """
    try:
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
            file.write("1000")
    except OSError:
        return  # a kernel without it


def _get_in_line() -> None:
    """Take the priority of ordinary programs, which is lower than the supervisor's."""
    ahead = os.getpriority(os.PRIO_PROCESS, 0)
    if ahead < 0:
        os.setpriority(os.PRIO_PROCESS, 0, min(0, ahead + AHEAD))


def _threads_of(user: int) -> int:
    """Return how many threads the user has on the machine, as RLIMIT_NPROC counts them."""
    count = 0
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                if os.stat(f"/proc/{name}").st_uid == user:
                    count += len(os.listdir(f"/proc/{name}/task"))
            except OSError:
                continue
    return count
