"""Puts the processes of one run into an isolation, with its limits; used by the supervisor and by
the probe.
"""

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
"""By how much supervisors go before student code (nice(2)), where they may."""
SPARE_PROCESSES = 2048
"""How many more processes than now the kernel lets a user have, where only all of his can be
counted together.
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
    """One run's isolation, with what has to be given back when the run is over.

    Raises OSError where the machine cannot give it now: no spare user is free, a kernel call fails.
    """

    def __init__(
        self, isolation: Isolation, folder: RunFolder, submission: str, limits: Limits
    ) -> None:
        self._isolation, self._folder, self._limits = isolation, folder, limits
        self._shown = [
            path for path in (submission, folder.gates) if path
        ]  # the grader's own control has no submission
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
        """Take what the run has for itself as long as it lasts: a user, a cgroup."""
        if self._isolation.spare_uid:
            from pytest_mpgrade.system.linux.spare_user import SpareUid

            self._spare = SpareUid()
            self.uid = self._spare.uid
            folder = self._folder
            for path, _, names in os.walk(folder.path):
                for name in (path, *(os.path.join(path, name) for name in names)):
                    if name.startswith((folder.scratch, folder.box)):
                        # The group stays ours: bwrap goes there as root without any right but its
                        # own.
                        os.chown(name, self.uid, -1, follow_symlinks=False)
        self.cgroup = self._cgroup() if self._linux else None

    @property
    def private_shm(self) -> bool:
        """Tell whether the run has a /dev/shm of its own."""
        return bool(self._isolation.bwrap)

    def out_of_memory(self) -> int:
        """Return how many of the run's processes the kernel has ended for their memory, as far as
        it tells.
        """
        return self.cgroup.out_of_memory() if self.cgroup is not None else 0

    def start(
        self, argv: Sequence[str], env: Mapping[str, str], shield: Sequence[int] = ()
    ) -> Start:
        """Return how to start *argv* in here. *shield*: processes of the grader's that get no
        signal from inside.
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
        """Return what a new process does before its program, in an order in which each step may
        still be done.
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
        found = [
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_FSIZE, limits.file_bytes),
            (resource.RLIMIT_CPU, int(limits.cpu_seconds) + 1),
            # Address space, of which much is never used: a backstop behind what is measured.
            (resource.RLIMIT_AS, 2 * limits.memory_bytes + 1_000_000_000),
        ]
        if self._isolation.level != "none" and not self._isolation.bwrap:
            found.append((resource.RLIMIT_NPROC, self.most_processes()))
        return [(number, _at_most(number, value)) for number, value in found]

    def most_processes(self) -> int:
        """Return the kernel's limit for the user, behind the one that is counted: a spare user has
        no others.
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
        read = [*self._isolation.view.allowed(), *self._shown, "/proc", "/sys/devices/system"]
        write = [
            folder.scratch,
            folder.box,
            folder.stacks,
            "/dev/shm",  # noqa: S108 - semaphores live there
            *_DEVICES,
        ]
        rules = landlock.ruleset(read, write, listed=self._isolation.view.listed())
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
        """The kernel's own limits, where we may set them, some way behind those that are counted
        and worded.
        """
        from pytest_mpgrade.system.linux.cgroups import Cgroup

        if self._isolation.level == "none":
            return None
        limits = self._limits
        name = f"{CGROUP}{os.getpid()}-{os.path.basename(self._folder.path)}"
        return Cgroup.create(name, processes=self.most_processes(), memory=limits.memory_bytes)

    def close(self) -> list[str]:
        """Give everything back, when all processes have ended; return the paths of files that were
        left elsewhere.
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
    """Return a limit that may be set: no higher than the one that is in force."""
    import resource  # here: Windows has none, and imports this module

    hard = resource.getrlimit(number)[1]
    return value if hard == resource.RLIM_INFINITY else min(value, hard)


def _die_first() -> None:
    """Where the machine runs out of memory, student code is what the kernel ends (proc(5),
    oom_score_adj).
    """
    try:
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
            file.write("1000")
    except OSError:
        return  # a kernel without it


def _get_in_line() -> None:
    """Take the place of ordinary programs: supervisors go first."""
    ahead = os.getpriority(os.PRIO_PROCESS, 0)
    if ahead < 0:
        os.setpriority(os.PRIO_PROCESS, 0, min(0, ahead + AHEAD))


def _threads_of(user: int) -> int:
    """Return how many threads the user has on the machine, as RLIMIT_NPROC counts."""
    count = 0
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                if os.stat(f"/proc/{name}").st_uid == user:
                    count += len(os.listdir(f"/proc/{name}/task"))
            except OSError:
                continue
    return count
