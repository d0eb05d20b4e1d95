"""Groups of processes are ended before their leader is reaped: after that its number may be
anybody's.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from pytest_mpgrade.system import process_groups
from pytest_mpgrade.system.linux import procfs
from support.running import wait_until

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="process groups, and /proc to look at them"
)

STARTS = (
    "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', '{child}']); print(p.pid,"
    " flush=True)"
)


def started(code: str) -> subprocess.Popen[bytes]:
    """Start a program in a group of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True
    )


@pytest.mark.parametrize(
    ("code", "how"),
    [("", 0), ("raise SystemExit(7)", 7), ("import os; os.kill(os.getpid(), 9)", -9)],
)
def test_an_end_is_seen_without_reaping(code: str, how: int) -> None:
    """How a process has ended is known while it is a zombie, whose number is nobody else's."""
    with started(code) as process:
        assert process_groups.exit_status(process, 30.0) == how
        assert procfs.state(process.pid) == "Z"
        assert process_groups.kill(process) == how == process_groups.exit_status(process, 0.0)


def test_who_has_not_ended_has_no_status() -> None:
    """Asked for a while, a process that goes on has none."""
    with started("import time; time.sleep(60)") as process:
        assert process_groups.exit_status(process, 0.05) is None
        assert process_groups.kill(process) == -signal.SIGKILL


def test_nothing_is_sent_to_a_number_that_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the leader has been reaped, its group gets no signal any more."""
    with started("") as process:
        process.wait()
    monkeypatch.setattr(os, "killpg", lambda *_: pytest.fail("may be a stranger"))
    process_groups.send(process, signal.SIGKILL)
    process_groups.kill(process)


@pytest.mark.parametrize(("child", "killed"), [("import time; time.sleep(60)", True), ("", False)])
def test_what_is_left_of_a_group_is_ended_later(child: str, killed: bool) -> None:
    """Members have their time to end after the leader; then they are killed, and only then is the
    leader reaped.
    """
    with started(STARTS.format(child=child)) as process:
        assert process.stdout is not None
        member = int(process.stdout.readline())
        assert process_groups.exit_status(process, 30.0) == 0
        began = time.monotonic()
        process_groups.kill_later(process, 1.0 if killed else 60.0).join(30.0)
        assert wait_until(lambda: procfs.state(member) in ("", "Z", "X"))
        assert not killed or time.monotonic() - began >= 1.0
        assert process.returncode == 0
