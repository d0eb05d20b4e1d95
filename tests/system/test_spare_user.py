"""Users that nobody has: each is one grading's at a time, and no submission can take them away."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from support.running import wait_until

if sys.platform != "linux" or os.geteuid() != 0:
    pytest.skip("only root on Linux can become another user", allow_module_level=True)

from pytest_mpgrade.system.linux import ptrace, spare_user
from pytest_mpgrade.system.linux.spare_user import SpareUid

HOLDS = """
import sys
from pytest_mpgrade.system.linux import spare_user
from pytest_mpgrade.system.linux.spare_user import SpareUid
spare_user._PLACES = (sys.argv[1],)
print(SpareUid().uid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Have users reserved in a folder of the test's own: in the real one other gradings come and go
    beside it.
    """
    monkeypatch.setattr(spare_user, "_PLACES", (str(tmp_path),))
    return str(tmp_path)


def lock_of(spare: SpareUid) -> Path:
    """Return the file by which a user is reserved."""
    (found,) = [
        path
        for place in spare_user._PLACES
        if (path := Path(f"{place}/mpgrade-uid-{spare.uid}")).exists()
    ]
    return found


def holder(place: str) -> tuple[subprocess.Popen[str], int]:
    """Have another process reserve a user."""
    command = [sys.executable, "-c", HOLDS, place]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def test_each_has_its_own(place: str) -> None:
    """Reservations of one process, and those of another, are of different users; what is released
    leaves nothing.
    """
    first, second = SpareUid(), SpareUid()
    process, other = holder(place)
    try:
        assert len({first.uid, second.uid, other}) == 3
        files = [lock_of(first), lock_of(second)]
        assert all(file.stat().st_mode & 0o777 == 0o600 for file in files)
    finally:
        process.communicate()
        first.release()
        second.release()
    assert not any(file.exists() for file in files)
    first.release()  # once more is no error


def test_killed_holder_lets_go(place: str) -> None:
    """What a killed process has reserved is free again, and the file that it leaves goes with the
    next holder.
    """
    process, uid = holder(place)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    again = SpareUid()
    try:
        assert again.uid <= uid
        path = lock_of(again)
    finally:
        again.release()
    assert not path.exists()


def test_spare_user_cannot_take_the_others() -> None:
    """The files by which users are reserved cannot be opened by one of them, nor made, removed or
    renamed.
    """
    spare = SpareUid()
    path = lock_of(spare)
    pid = os.fork()
    if pid == 0:
        done = 0
        ptrace.become(spare.uid)
        acts: list[Callable[[], object]] = [
            lambda: os.open(path, os.O_RDONLY),
            lambda: os.unlink(path),
            lambda: os.rename(path, f"{path}-"),
        ]
        for act in acts:
            try:
                act()
            except OSError:
                done += 1
        os._exit(done)
    try:
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3
    finally:
        spare.release()


def test_many_at_once_never_share(tmp_path: Path) -> None:
    """Processes that reserve and let go as fast as they can never hold the same user at the same
    time.
    """
    text = """
import os, sys
from pytest_mpgrade.system.linux.spare_user import SpareUid
for _ in range(300):
    spare = SpareUid()
    mark = f"{sys.argv[1]}/{spare.uid}"
    os.mkdir(mark)  # FileExistsError: somebody else has it too
    os.rmdir(mark)
    spare.release()
"""
    racing = [subprocess.Popen([sys.executable, "-c", text, str(tmp_path)]) for _ in range(4)]
    assert wait_until(lambda: all(process.poll() is not None for process in racing))
    assert [process.returncode for process in racing] == [0, 0, 0, 0]
