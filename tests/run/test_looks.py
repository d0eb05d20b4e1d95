"""A look at a process changes nothing in it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pytest_mpgrade.run.explain.unsupervised import handler_line
from support.running import variables

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="asks a process for its stacks by a signal"
)

LOOKS = 200
SPINNING = """
import sys, threading

lock, asked_to_end, taken = threading.Lock(), [], 0
lock.acquire()
threading.Thread(target=lambda: (sys.stdin.read(), asked_to_end.append(True))).start()
print("spins", flush=True)
while not asked_to_end:
    taken += lock.acquire(blocking=False)
print(taken)
"""
IN_A_GRADING = "from pytest_mpgrade.inside import bootstrap; bootstrap.dump_stacks_on_request()"


def _looked_at(process: subprocess.Popen[str], stacks: Path) -> None:
    """Ask a process for its stacks, and wait until it has written the last of them.

    A signal that comes before the last one is handled to its end may be lost: it is sent again.
    """
    before, again = stacks.stat().st_size, 0.0
    while not stacks.read_bytes()[before:].endswith(b"in <module>\n"):
        assert process.poll() is None
        if time.monotonic() > again:
            os.kill(process.pid, signal.SIGUSR2)
            again = time.monotonic() + 0.5
        time.sleep(0.001)


@pytest.mark.parametrize("kind", ["grading", "debug"])
def test_lock_is_not_taken_by_a_look(tmp_path: Path, kind: str) -> None:
    """A process that tries in vain to take a lock does so also while its stacks are written."""
    stacks = tmp_path / "stacks"
    stacks.touch()
    begin = IN_A_GRADING if kind == "grading" else handler_line(str(stacks))
    process = subprocess.Popen(
        [sys.executable, "-c", f"{begin}\n{SPINNING}"],
        env={**variables(), "MPGRADE_STACKS": str(stacks)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "spins\n"
        for _ in range(LOOKS):
            _looked_at(process, stacks)
        said, _ = process.communicate()
    assert said == "0\n"
