"""Each call by which a supervisor asks something of the kernel fails once: no wrong verdict, and
nothing is left.
"""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pytest_mpgrade import steps
from pytest_mpgrade.errors import SupervisorError
from pytest_mpgrade.records import Ending
from pytest_mpgrade.run.client import server_process, supervisor_pool
from pytest_mpgrade.system import rmtree
from support.running import ROOT, MakeRuns

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="system calls of Linux")

TEXT = """
    import multiprocessing as mp

    def work(q):
        q.put(42)

    def f():
        q = mp.Queue()
        p = mp.Process(target=work, args=(q,))
        p.start()
        value = q.get()
        p.join()
        return value
"""
FAULTS = [
    ("pytest_mpgrade.run.supervisor.zygote", "os.fork", 1, errno.EAGAIN),
    ("pytest_mpgrade.run.supervisor.server", "os.fork", 2, errno.EAGAIN),
    ("pytest_mpgrade.run.supervisor.zygote", "os.setpgid", 1, errno.EPERM),
    ("pytest_mpgrade.run.supervisor.zygote", "socket.recv_fds", 1, errno.EMFILE),
    ("pytest_mpgrade.run.observe.linux", "os.pipe", 1, errno.EMFILE),
    ("pytest_mpgrade.run.observe.linux", "os.write", 1, errno.EPIPE),
    ("pytest_mpgrade.run.observe.linux", "prctl.become_subreaper", 1, errno.EPERM),
    ("pytest_mpgrade.run.observe.linux", "ptrace.seize", 1, errno.EPERM),
    ("pytest_mpgrade.system.linux.ptrace", "event_message", 1, errno.ESRCH),
    ("pytest_mpgrade.system.linux.ptrace", "event_message", 2, errno.EIO),
    ("pytest_mpgrade.system.linux.ptrace", "resume", 1, errno.ESRCH),
    ("pytest_mpgrade.system.linux.ptrace", "resume", 3, errno.EIO),
    ("pytest_mpgrade.system.linux.ptrace", "awaits_us", 3, errno.EINTR),
    ("pytest_mpgrade.run.observe.linux", "LinuxObserver.take", 3, errno.EINTR),
    ("pytest_mpgrade.run.observe.linux", "LinuxObserver.wait", 3, errno.EINTR),
    ("pytest_mpgrade.system.linux.procfs", "leader", 1, errno.EMFILE),
    ("pytest_mpgrade.system.linux.procfs", "descendants", 1, errno.EMFILE),
    ("pytest_mpgrade.system.linux.procfs", "look_at_threads", 2, errno.EMFILE),
    ("pytest_mpgrade.run.observe.gate_socket", "socket.socket", 1, errno.EMFILE),
    ("pytest_mpgrade.run.observe.gate_socket", "AttestedServer.poll", 3, errno.EMFILE),
    ("pytest_mpgrade.run.observe.gate_socket", "AttestedServer.answer", 1, errno.EPIPE),
    ("pytest_mpgrade.run.observe.gate_socket", "AttestedServer.close", 1, errno.EIO),
    ("pytest_mpgrade.system.linux.cgroups", "Cgroup.create", 1, errno.EIO),
    ("pytest_mpgrade.system.linux.spare_user", "SpareUid", 1, errno.ENOENT),
    ("pytest_mpgrade.isolation.bwrap", "bwrap_command", 1, errno.EIO),
    ("pytest_mpgrade.system.linux.seccomp", "program", 1, errno.EIO),
    ("pytest_mpgrade.system.linux.landlock", "ruleset", 1, errno.EIO),
    ("pytest_mpgrade.isolation.confine", "os.memfd_create", 1, errno.EMFILE),
    ("pytest_mpgrade.isolation.confine", "os.chown", 1, errno.EPERM),
    ("pytest_mpgrade.run.supervisor.output", "os.truncate", 1, errno.ENOSPC),
    ("pytest_mpgrade.run.observe.leftovers", "holdings", 1, errno.EMFILE),
    ("pytest_mpgrade.run.observe.leftovers", "remove_leftovers", 1, errno.EIO),
    ("pytest_mpgrade.system.rmtree", "sizes", 1, errno.EMFILE),
    ("json", "dumps", 1, errno.ENOSPC),
]

ISOLATES = (
    "confine",
    "isolation.bwrap",
    "linux.landlock",
    "linux.seccomp",
    "linux.cgroups",
    "observe.linux",
)
CASES = [
    (*fault, layer)
    for fault in FAULTS
    for layer in ("none", "auto", *(("bwrap", "landlock") if fault[0].endswith(ISOLATES) else ()))
]


@pytest.fixture
def breaks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Return a function that has the next supervisor fail in one call; whether it did is told by a
    flag.
    """
    flag = tmp_path / "not-yet"

    def fault(module: str, name: str, number: int, error: int) -> Path:
        flag.touch()
        script = [
            str(ROOT / "tests" / "support" / "faults.py"),
            module,
            name,
            str(number),
            str(error),
            str(flag),
        ]

        def popen(command: list[str], **more: Any) -> Any:
            return real.Popen([command[0], *script], **more)

        monkeypatch.setattr(
            server_process,
            "subprocess",
            SimpleNamespace(Popen=popen, PIPE=real.PIPE, DEVNULL=real.DEVNULL),
        )
        return flag

    real = subprocess
    supervisor_pool.end_all()
    yield fault
    supervisor_pool.end_all()


def cgroups() -> set[str]:
    """Return the groups of all runs of this process: their names have the names of the runs'
    folders in them.
    """
    return {
        name for _, names, _ in os.walk("/sys/fs/cgroup") for name in names if rmtree.MARK in name
    }


@pytest.mark.parametrize(("where", "name", "number", "error", "layer"), CASES)
def test_one_call_fails(
    play: MakeRuns, breaks: Any, where: str, name: str, number: int, error: int, layer: str
) -> None:
    """The run is what it is without that, or the supervisor breaks and says why; never is the
    submission blamed.
    """
    flag = breaks(where, name, number, error)
    before = cgroups()
    broken = ""
    try:
        run = play(TEXT, steps.call("f"), isolation=layer)[1]
    except SupervisorError as met:
        broken = str(met)
    else:
        assert (run.ending, run.value) == (Ending.RETURNED, 42)
    assert not broken or (not flag.exists() and ("on purpose" in broken or "broke" in broken)), (
        broken
    )
    assert cgroups() <= before
