"""The end of all members of a control group, for tests: grading leaves that to ptrace and to the
supervisor.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

from pytest_mpgrade.system.linux.cgroups import Cgroup


def end_members(group: Cgroup, seconds: float = 5.0) -> None:
    """Send SIGKILL to all members, and to what they start meanwhile; return after *seconds* at the
    latest.
    """
    at_once = [Path(folder, "cgroup.kill") for folder in group.folders]
    if all(file.exists() for file in at_once):  # version 2, since Linux 5.14
        for file in at_once:
            file.write_text("1")
        return
    end = time.monotonic() + seconds
    while (members := group.processes()) and time.monotonic() < end:
        for pid in members:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.002)
