"""What control groups limit, count and end: real processes in real groups, where the machine lets
us make some.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

if not sys.platform.startswith("linux"):
    pytest.skip("control groups are Linux's", allow_module_level=True)

from pytest_mpgrade.system.linux import cgroups
from pytest_mpgrade.system.linux.cgroups import MEMORY, PROCESSES, Cgroup
from support.ended_groups import end_members

SECONDS = 60.0
PREFIX = "mpgrade-test"
MEBI = 1 << 20
STRANGER = 60403
"""A user id that nobody has, and that no run is given: those are in `spare_user`."""

Make = Callable[..., Cgroup]


@pytest.fixture
def make() -> Iterator[Make]:
    """Return a function that makes groups; end and remove them when the test is over."""
    made: list[Cgroup] = []

    def create(*limits: str, processes: int = 64, memory: int = 512 * MEBI) -> Cgroup:
        group = Cgroup.create(PREFIX, processes=processes, memory=memory)
        if group is None or not group.limits.issuperset(limits):
            pytest.skip(f"no control group with limits of {limits or 'any kind'} is to be had here")
        made.append(group)
        return group

    yield create
    for group in made:
        end_members(group)
        assert group.remove()
        assert not any(map(os.path.exists, group.folders))


def start(group: Cgroup, code: str) -> subprocess.Popen[str]:
    """Start an interpreter that joins a group before it executes anything."""
    command = [sys.executable, "-I", "-c", code]
    return subprocess.Popen(command, preexec_fn=group.join, stdout=subprocess.PIPE, text=True)


def refused(group: Cgroup) -> int:
    """Return how often a member was refused a new process or thread."""
    texts = [
        path.read_text()
        for folder in group.folders
        if (path := Path(folder, "pids.events")).exists()
    ]
    return sum(
        int(line.split()[1])
        for text in texts
        for line in text.splitlines()
        if line.startswith("max ")
    )


def until(true: Callable[[], object]) -> bool:
    """Ask again and again, up to a deadline."""
    end = time.monotonic() + SECONDS
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


# --- members


def test_join(make: Make) -> None:
    """A process that joins is a member, with all that it starts, until it ends."""
    group = make()
    assert group.processes() == []
    code = "import os, time\nchild = os.fork()\nif child: print(child, flush=True)\ntime.sleep(600)"
    process = start(group, code)
    assert process.stdout is not None
    child = int(process.stdout.readline())
    assert group.processes() == sorted([process.pid, child])
    process.kill()
    process.wait(SECONDS)
    assert group.processes() == [child]
    end_members(group)
    process.communicate(timeout=SECONDS)
    assert group.processes() == []


def test_join_by_parent(make: Make) -> None:
    """A process can be moved into a group by another one, and a process that is gone cannot."""
    group = make()
    with subprocess.Popen(["/bin/sleep", "600"]) as process:
        group.join(process.pid)
        assert group.processes() == [process.pid]
        end_members(group)
        assert process.wait(SECONDS) == -signal.SIGKILL
    with pytest.raises(ProcessLookupError):
        group.join(process.pid)


# --- limits


FORKS = """
import os, time
count = 0
try:
    for _ in range(200):
        if not os.fork():
            time.sleep(600)
        count += 1
except BlockingIOError:
    pass
print(count, flush=True)
"""


def test_processes_are_limited(make: Make) -> None:
    """No more processes than allowed can be started, and each refusal is counted."""
    group = make(PROCESSES, processes=10)
    assert refused(group) == 0
    process = start(group, FORKS)
    assert process.stdout is not None
    assert process.stdout.readline() == "9\n"
    assert refused(group) == 1
    assert group.out_of_memory() == 0
    end_members(group)
    process.communicate(timeout=SECONDS)


THREADS = """
import threading
end = threading.Event()
try:
    for _ in range(20):
        threading.Thread(target=end.wait).start()
except RuntimeError:
    print(threading.active_count())
end.set()
"""


def test_threads_count(make: Make) -> None:
    """Threads count as processes do."""
    group = make(PROCESSES, processes=10)
    process = start(group, THREADS)
    assert process.communicate(timeout=SECONDS)[0] == "10\n"
    assert refused(group) >= 1


GREEDY = """
import os
if not os.fork():
    held = bytearray({size} << 20)
    os._exit(0)
print(os.waitstatus_to_exitcode(os.wait()[1]))
"""


@pytest.mark.parametrize(("size", "status", "killed"), [(20, "0", 0), (400, "-9", 1)])
def test_memory_is_limited(make: Make, size: int, status: str, killed: int) -> None:
    """The kernel kills a process that takes more memory than allowed, and says so; its parent goes
    on.
    """
    group = make(MEMORY, memory=100 * MEBI)
    process = start(group, GREEDY.format(size=size))
    assert process.communicate(timeout=SECONDS)[0] == f"{status}\n"
    assert (group.out_of_memory(), refused(group)) == (killed, 0)


def test_limits_are_told(make: Make) -> None:
    """A group says which limits it has, and has at least one."""
    group = make()
    assert group.limits
    assert group.limits <= {PROCESSES, MEMORY}


# --- removal


def test_removal_waits(make: Make) -> None:
    """A group is removed as soon as its last member has gone, and not before."""
    group = make()
    process = start(group, "import time; print(flush=True); time.sleep(600)")
    assert process.stdout is not None
    process.stdout.readline()
    assert not group.remove(seconds=0.1)
    process.kill()
    assert group.remove()
    assert group.remove()  # once more is no error
    process.communicate(timeout=SECONDS)


def test_groups_below(make: Make) -> None:
    """What a member with rights has hidden in a group below is listed, ended and removed as
    well.
    """
    group = make()
    folders = [f"{folder}/below" for folder in group.folders]
    for folder in folders:
        Path(folder).mkdir()
    below = Cgroup(folders=tuple(folders), limits=frozenset())
    process = start(below, "import time; print(flush=True); time.sleep(600)")
    assert process.stdout is not None
    process.stdout.readline()
    assert group.processes() == [process.pid]
    end_members(group)
    assert process.wait(SECONDS) == -signal.SIGKILL
    process.communicate()
    assert group.remove()


CREATE = f"""
import os, sys, time
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from pytest_mpgrade.system.linux.cgroups import Cgroup
group = Cgroup.create({PREFIX + "-left"!r}, processes=64, memory=1 << 29)
print(group and group.folders[0], flush=True)
if group and not os.fork():
    group.join()
    print("joined", flush=True)
time.sleep(600)
"""


def test_leftovers(make: Make) -> None:
    """A group whose creator was killed is found by its prefix, and can be ended and removed; no
    other is.
    """
    make()
    with subprocess.Popen(
        [sys.executable, "-c", CREATE], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        folder = process.stdout.readline().strip()
        assert process.stdout.readline() == "joined\n"
        assert folder not in folders_left()  # its creator is alive
        process.kill()
        assert until(lambda: folder in folders_left())  # a zombie has ended
        process.wait(SECONDS)
        assert folder not in {
            folder for group in cgroups.leftovers("another") for folder in group.folders
        }
        for group in cgroups.leftovers(PREFIX + "-left"):
            assert group.limits == frozenset()
            end_members(group)
            assert group.remove()
    assert not Path(folder).exists()


def folders_left() -> set[str]:
    """Return the folders of all groups of tests whose creators have ended."""
    return {folder for group in cgroups.leftovers(PREFIX) for folder in group.folders}


@pytest.mark.parametrize("name", ["x", "x.1.2", "x.a.b.c", "x.y.z.1.2", "x.1.{pid}.1"])
def test_names_of_others(name: str) -> None:
    """A group whose name says nothing of a creator in this namespace is nobody's leftover."""
    assert not cgroups._abandoned(name.format(pid=os.getpid()))


def test_names_of_ours() -> None:
    """A creator is told from a later process of the same id."""
    own = cgroups._signature(os.getpid())
    assert not cgroups._abandoned(f"a.name.{own}")
    assert cgroups._abandoned(f"a.name.{own}0")


@pytest.mark.parametrize("name", ["", "../escape"])
def test_names_are_folders(name: str) -> None:
    """A name that would lead elsewhere is refused."""
    with pytest.raises(ValueError, match="cannot be the name"):
        Cgroup.create(name, processes=64, memory=1 << 29)


# --- where there are none


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_ordinary_user() -> None:
    """Whoever may not make a group gets none, and no error."""
    child = os.fork()
    if not child:
        status = 1
        try:
            os.setgroups([])
            os.setresgid(STRANGER, STRANGER, STRANGER)
            os.setresuid(STRANGER, STRANGER, STRANGER)
            status = 0 if Cgroup.create(PREFIX, processes=64, memory=1 << 29) is None else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_read_only() -> None:
    """Where the tree is read-only, as in most containers, there is no group."""
    sandbox = [shutil.which("bwrap") or "/usr/bin/bwrap", "--ro-bind", "/", "/", "--proc", "/proc"]
    if not shutil.which("bwrap") or subprocess.call([*sandbox, "true"]) != 0:
        pytest.skip("bubblewrap does not work here")
    code = CREATE.replace("time.sleep(600)", "")
    done = subprocess.run(
        [*sandbox, sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    assert done.stdout == "None\n"


# --- version 2


@pytest.mark.parametrize(
    ("version", "files"),
    [
        (
            2,
            {
                "pids.events": "max 3\n",
                "memory.events": "low 0\nhigh 0\nmax 40\noom 2\noom_kill 5\noom_group_kill 0\n",
            },
        ),
        (
            1,
            {
                "pids.events": "max 3\n",
                "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n",
            },
        ),
    ],
)
def test_counts(tmp_path: Path, version: int, files: dict[str, str]) -> None:
    """The processes that the kernel has killed are counted by the files of either version."""
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    group = Cgroup(folders=(str(tmp_path),), limits=frozenset({PROCESSES, MEMORY}))
    assert group.out_of_memory() == 5


@pytest.mark.parametrize(
    ("enabled", "members", "root", "usable", "written"),
    [
        ("cpu memory pids", "17\n", False, True, "cpu memory pids"),  # by systemd, as in app.slice
        ("memory", "", False, True, "+pids"),
        ("", "17\n", True, True, "+"),  # the root may have members
        ("", "17\n", False, False, ""),
        ("cpu", "", False, True, "+"),
    ],
)
def test_delegation(
    tmp_path: Path, enabled: str, members: str, root: bool, usable: bool, written: str
) -> None:
    """Controllers are switched on where that is needed and no process is in the way."""
    files = {
        "cgroup.controllers": "cpu memory pids",
        "cgroup.subtree_control": enabled,
        "cgroup.procs": members,
    }
    for name, text in {**files, **({} if root else {"cgroup.type": "domain"})}.items():
        (tmp_path / name).write_text(text)
    assert cgroups._delegates(str(tmp_path)) == usable
    assert (tmp_path / "cgroup.subtree_control").read_text().startswith(written)


MOUNT_2 = "29 23 0:26 {root} /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate"
MOUNT_1 = "33 32 0:30 {root} /sys/fs/cgroup/pids rw,nosuid shared:15 - cgroup cgroup rw,pids\n"
SCOPE = "/user.slice/user-1000.slice/user@1000.service/app.slice/run-1.scope"


@pytest.mark.parametrize(
    ("groups", "mounts", "expected"),
    [
        (f"0::{SCOPE}", MOUNT_2.format(root="/"), {"": f"/sys/fs/cgroup{SCOPE}"}),
        ("0::/", MOUNT_2.format(root="/"), {"": "/sys/fs/cgroup"}),
        ("0::/docker/1f", MOUNT_2.format(root="/docker/1f"), {"": "/sys/fs/cgroup"}),
        ("0::/docker/1f/a", MOUNT_2.format(root="/docker/1f"), {"": "/sys/fs/cgroup/a"}),
        ("0::/docker/1fe", MOUNT_2.format(root="/docker/1f"), {"": "/sys/fs/cgroup"}),
        ("0::/../1f", MOUNT_2.format(root="/"), {"": "/sys/fs/cgroup/1f"}),
        ("8:pids:/a\n0::/", MOUNT_1.format(root="/"), {"pids": "/sys/fs/cgroup/pids/a"}),
        ("8:pids,misc:/\n", MOUNT_1.format(root="/") * 2, {"pids": "/sys/fs/cgroup/pids"}),
        ("", MOUNT_1.format(root="/"), {}),
        ("0::/", "", {}),
    ],
)
def test_own_group(groups: str, mounts: str, expected: dict[str, str]) -> None:
    """The own group's folder is found on servers, on desktops and in containers, and never outside
    of the mount.
    """
    assert {
        name: folder for name, (_, folder) in cgroups._hierarchies(groups, mounts).items()
    } == expected
