"""Which waits end by themselves: real lines of /proc/PID/task/TID/syscall, and on Linux real
processes that sleep.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from pytest_mpgrade.run.observe.quiescence import PERIOD, Quiet
from pytest_mpgrade.system.linux import procfs, syscalls
from pytest_mpgrade.system.linux.current_call import current_call

SECONDS = 30.0
"""How long a process may take to reach its wait, on a busy machine."""

FOR_EVER, ENDS = False, True
X86, ARM = "x86_64", "aarch64"


@pytest.mark.parametrize(
    ("machine", "line", "timed", "name"),
    [
        # Lock.acquire(): FUTEX_WAIT_BITSET, realtime clock, no time-out
        (
            X86,
            "202 0x56245888dbf0 0x189 0x0 0x0 0x0 0xffffffff 0x7ffd29b55180 0x7ff195ca3e96",
            FOR_EVER,
            "futex",
        ),
        # Lock.acquire(timeout=60)
        (
            X86,
            (
                "202 0x55ae15f12cb0 0x89 0x0 0x7ffc8ec6df10 0x0 0xffffffff 0x7ffc8ec6de60"
                " 0x7f9bac0a3e96"
            ),
            ENDS,
            "futex",
        ),
        # a plain FUTEX_WAIT, and FUTEX_WAKE, which does not wait at all
        (
            X86,
            "202 0x7f2a1c000b60 0x80 0x0 0x0 0x0 0x0 0x7f2a23ffed10 0x7f2a2c098f16",
            FOR_EVER,
            "futex",
        ),
        (
            X86,
            "202 0x7f2a1c000b60 0x81 0x1 0x0 0x0 0x0 0x7f2a23ffed10 0x7f2a2c098f16",
            ENDS,
            "futex",
        ),
        # Queue.get(), SimpleQueue.get(), a pipe's read
        (
            X86,
            "0 0x3 0x7f2e06678b00 0x4 0x55851b1e4e90 0x0 0x0 0x7ffcae8c17d8 0x7f2e06d162ad",
            FOR_EVER,
            "read",
        ),
        # a write into a pipe that is full
        (
            X86,
            "1 0x4 0x7fb2f8808030 0xf4240 0x7fb2f8c374f0 0x0 0x0 0x7ffd49a8b918 0x7fb2f8d16350",
            FOR_EVER,
            "write",
        ),
        # poll(): -1 waits for ever; Queue.get(timeout=60)
        (
            X86,
            "7 0x7fe80766c170 0x1 0xffffffff 0x1 0x0 0x0 0x7fffd26da1b8 0x7fe80791a230",
            FOR_EVER,
            "poll",
        ),
        (
            X86,
            "7 0x7f8793ba4510 0x1 0xffffffffffffffff 0x1 0x0 0x0 0x7ffdf6c1cf58 0x7f8793d1a230",
            FOR_EVER,
            "poll",
        ),
        (
            X86,
            "7 0x7f8793ba4510 0x1 0xea60 0x1 0x0 0x0 0x7ffdf6c1cf58 0x7f8793d1a230",
            ENDS,
            "poll",
        ),
        (X86, "7 0x7f8793ba4510 0x1 0x0 0x1 0x0 0x0 0x7ffdf6c1cf58 0x7f8793d1a230", ENDS, "poll"),
        # select(): NULL waits for ever
        (
            X86,
            "23 0x4 0x7ffdb2e41190 0x0 0x0 0x0 0x0 0x7ffdb2e410b0 0x7f28f651c954",
            FOR_EVER,
            "select",
        ),
        (
            X86,
            "23 0x4 0x7ffdb2e41190 0x0 0x0 0x7ffdb2e41100 0x0 0x7ffdb2e410b0 0x7f28f651c954",
            ENDS,
            "select",
        ),
        (
            X86,
            "270 0x4 0x7ffdb2e41190 0x0 0x0 0x0 0x0 0x7ffdb2e410b0 0x7f28f651c954",
            FOR_EVER,
            "pselect6",
        ),
        (
            X86,
            "270 0x4 0x7ffedb6fd2d0 0x0 0x0 0x7ffedb6fd200 0x0 0x7ffedb6fd1f0 0x7fe132f1c954",
            ENDS,
            "pselect6",
        ),
        # epoll, as asyncio waits
        (
            X86,
            "232 0x3 0x55b5ac8a8a70 0x3ff 0xffffffff 0x0 0x0 0x7ffd95e346f8 0x7ff3b7526ef3",
            FOR_EVER,
            "epoll_wait",
        ),
        (
            X86,
            "232 0x3 0x55b5ac8a8a70 0x3ff 0x3e8 0x0 0x0 0x7ffd95e346f8 0x7ff3b7526ef3",
            ENDS,
            "epoll_wait",
        ),
        # Process.join()
        (
            X86,
            "61 0x232 0x7ffd19db7efc 0x0 0x0 0x0 0x0 0x7ffd19db7ee8 0x7f575d0f1bd3",
            FOR_EVER,
            "wait4",
        ),
        (
            X86,
            "34 0x7f369e34e6f8 0x0 0x0 0x7f369dc37fa0 0x0 0x0 0x7ffd0c085468 0x7f369dcf1dd0",
            FOR_EVER,
            "pause",
        ),
        (
            X86,
            "45 0x3 0x7feff0f17050 0x1 0x0 0x0 0x0 0x7ffd32f8e8d8 0x7feff1128929",
            FOR_EVER,
            "recvfrom",
        ),
        # time.sleep(): clock_nanosleep ends by itself, as does whatever is not in the table
        (
            X86,
            "230 0x1 0x1 0x7ffc7f009aa0 0x0 0x0 0x0 0x7ffc7f009a88 0x7fe283aed503",
            ENDS,
            "call 230",
        ),
        (
            X86,
            "35 0x7ffc7f009aa0 0x0 0x0 0x0 0x0 0x0 0x7ffc7f009a88 0x7fe283aed503",
            ENDS,
            "call 35",
        ),
        (
            ARM,
            "98 0xaaaad6c1d2b0 0x189 0x0 0x0 0x0 0xffffffff 0xffffd3b5f1c0 0xffffa2c8b9d4",
            FOR_EVER,
            "futex",
        ),
        (
            ARM,
            (
                "98 0xaaaad6c1d2b0 0x89 0x0 0xffffd3b5f258 0x0 0xffffffff 0xffffd3b5f1c0"
                " 0xffffa2c8b9d4"
            ),
            ENDS,
            "futex",
        ),
        (
            ARM,
            "63 0x3 0xffffa1f0b020 0x4 0x0 0x0 0x0 0xffffd3b5ef40 0xffffa2d1c7a8",
            FOR_EVER,
            "read",
        ),
        (
            ARM,
            "73 0xffffa1e4c510 0x1 0x0 0x0 0x8 0x0 0xffffd3b5eed0 0xffffa2d22f14",
            FOR_EVER,
            "ppoll",
        ),
        (
            ARM,
            "73 0xffffa1e4c510 0x1 0xffffd3b5ef08 0x0 0x8 0x0 0xffffd3b5eed0 0xffffa2d22f14",
            ENDS,
            "ppoll",
        ),
        (
            ARM,
            "72 0x4 0xffffd3b5f0a0 0x0 0x0 0x0 0xffffd3b5f040 0xffffd3b5f010 0xffffa2d24b3c",
            FOR_EVER,
            "pselect6",
        ),
        (
            ARM,
            "72 0x4 0xffffd3b5f0a0 0x0 0x0 0xffffd3b5f050 0x0 0xffffd3b5f010 0xffffa2d24b3c",
            ENDS,
            "pselect6",
        ),
        (
            ARM,
            "22 0x3 0xaaaad6d0aa70 0x3ff 0xffffffff 0x0 0x8 0xffffd3b5f0e0 0xffffa2d2e1a8",
            FOR_EVER,
            "epoll_pwait",
        ),
        (
            ARM,
            "22 0x3 0xaaaad6d0aa70 0x3ff 0x64 0x0 0x8 0xffffd3b5f0e0 0xffffa2d2e1a8",
            ENDS,
            "epoll_pwait",
        ),
        (
            ARM,
            "260 0x232 0xffffd3b5ee9c 0x0 0x0 0x0 0x0 0xffffd3b5ee70 0xffffa2cf4f58",
            FOR_EVER,
            "wait4",
        ),
        (
            ARM,
            "115 0x1 0x1 0xffffd3b5f170 0x0 0x0 0x0 0xffffd3b5f140 0xffffa2cef0c4",
            ENDS,
            "call 115",
        ),
        # a thread on a core, one that is in no call, and what cannot be read
        (X86, "running", ENDS, "running"),
        (ARM, "running\n", ENDS, "running"),
        (X86, "-1 0x7ffd29b55180 0x7ff195ca3e96", ENDS, "running"),
        (X86, "", ENDS, ""),
        (X86, "\n", ENDS, ""),
        (X86, "202 0x56245888dbf0 0x189", ENDS, "futex"),
        # an architecture whose numbers are not known
        (
            "riscv64",
            "98 0x2aaad6c1d2b0 0x189 0x0 0x0 0x0 0xffffffff 0x3fffd3b5f1c0 0x3fffa2c8b9d4",
            ENDS,
            "",
        ),
        (
            "",
            "0 0x3 0x7f2e06678b00 0x4 0x55851b1e4e90 0x0 0x0 0x7ffcae8c17d8 0x7f2e06d162ad",
            ENDS,
            "",
        ),
    ],
)
def test_line(machine: str, line: str, timed: bool, name: str) -> None:
    """A wait counts as one without end only if the kernel says so, on an architecture whose numbers
    are known.
    """
    assert syscalls.timed(line, machine) == (timed, name)


@pytest.mark.parametrize("machine", [X86, ARM])
def test_numbers_mean_different_calls(machine: str) -> None:
    """The same number is another call on another architecture: 63 reads on one and names the system
    on the other.
    """
    line = "63 0x3 0x7f2e06678b00 0x4 0x0 0x0 0x0 0x7ffcae8c17d8 0x7f2e06d162ad"
    assert syscalls.timed(line, machine) == (
        (ENDS, "call 63") if machine == X86 else (FOR_EVER, "read")
    )


# --- real processes

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is Linux's")

PAIR = """
import threading
lock = threading.Lock()
lock.acquire()
for timeout in (-1, 600):
    thread = threading.Thread(target=lock.acquire, args=(True, timeout), daemon=True)
    thread.start()
    print(thread.native_id, flush=True)
lock.acquire()
"""
STUCK = "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()"
SLEEPERS = {
    "Lock.acquire()": (STUCK, FOR_EVER),
    "Event.wait()": ("import threading\nthreading.Event().wait()", FOR_EVER),
    "Event.wait(600)": ("import threading\nthreading.Event().wait(600)", ENDS),
    "Queue.get()": ("import multiprocessing\nmultiprocessing.Queue().get()", FOR_EVER),
    "Queue.get(timeout=600)": (
        "import multiprocessing\nmultiprocessing.Queue().get(timeout=600)",
        ENDS,
    ),
    "select() without time-out": (
        "import os, select\nselect.select([os.pipe()[0]], [], [])",
        FOR_EVER,
    ),
    "select() with time-out": (
        "import os, select\nselect.select([os.pipe()[0]], [], [], 600)",
        ENDS,
    ),
    "connection.wait()": (
        "import multiprocessing.connection as c\nends = c.Pipe()\nc.wait(ends[:1])",
        FOR_EVER,
    ),
    "connection.wait(timeout=600)": (
        "import multiprocessing.connection as c\nends = c.Pipe()\nc.wait(ends[:1], 600)",
        ENDS,
    ),
    "a full pipe": ("import os\nos.write(os.pipe()[1], bytes(1 << 20))", FOR_EVER),
    "signal.pause()": ("import signal\nsignal.pause()", FOR_EVER),
    "time.sleep(600)": ("import time\ntime.sleep(600)", ENDS),
}

Start = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start interpreters with a piece of code; end them when the test is over."""
    started: list[subprocess.Popen[str]] = []

    def interpreter(code: str) -> subprocess.Popen[str]:
        code = f"print('ready', flush=True)\n{code}"
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        started.append(process)
        if line(process) != "ready":
            pytest.fail("the interpreter did not start")
        if not all(one.syscall for one in procfs.look_at_threads(process.pid, syscalls.timed)):
            pytest.skip("what threads wait for cannot be read here")
        return process

    try:
        yield interpreter
    finally:
        for process in started:
            process.kill()
        for process in started:
            process.communicate(timeout=SECONDS)


def line(process: subprocess.Popen[str]) -> str:
    """Return the next line that a process prints."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def asleep(pid: int, expected: dict[int, bool]) -> bool:
    """Tell whether these threads all sleep in a wait of the expected kind."""
    threads = {one.tid: one for one in procfs.look_at_threads(pid, syscalls.timed)}
    return all(
        tid in threads and (threads[tid].state, threads[tid].timed) == ("S", timed)
        for tid, timed in expected.items()
    )


def until(true: Callable[[], bool]) -> bool:
    """Ask again and again, up to a deadline."""
    end = time.monotonic() + SECONDS
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


@linux
@pytest.mark.parametrize("name", SLEEPERS)
def test_real_wait(start: Start, name: str) -> None:
    """What the kernel says of a process that waits like this is what the table makes of it."""
    code, timed = SLEEPERS[name]
    process = start(code)
    assert until(lambda: asleep(process.pid, {process.pid: timed}))


@linux
@pytest.mark.parametrize("name", [name for name in SLEEPERS if name != "a full pipe"])
def test_wait_that_a_signal_has_interrupted(start: Start, name: str) -> None:
    """A wait that goes on after a signal is what it was before, under the same name; to write ends
    with what was written.
    """
    code, timed = SLEEPERS[name]
    process = start(code)
    assert until(lambda: asleep(process.pid, {process.pid: timed}))
    before = current_call(process.pid, process.pid).split()
    process.send_signal(signal.SIGSTOP)
    assert until(lambda: procfs.state(process.pid) == "T")
    process.send_signal(signal.SIGCONT)
    assert until(lambda: asleep(process.pid, {process.pid: timed}))
    after = current_call(process.pid, process.pid).split()
    assert after[0] == before[0] or timed is ENDS
    if after[0] == before[0]:
        assert after[1] == before[1]  # the file, the lock, or where the files are


@linux
def test_real_threads(start: Start) -> None:
    """Of two threads that wait for one lock, the one with a time-out is told from the one
    without.
    """
    process = start(PAIR)
    for_ever, ends = int(line(process)), int(line(process))
    assert until(
        lambda: asleep(process.pid, {for_ever: FOR_EVER, ends: ENDS, process.pid: FOR_EVER})
    )


@linux
def test_real_proof(start: Start) -> None:
    """A process that waits for a lock which it holds itself is proven to be stuck."""
    process = start(STUCK)
    quiet = Quiet(caller=0, sees_waits=True, stopped=lambda pid: False)
    rules: list[str] = []

    def look() -> bool:
        time.sleep(PERIOD)
        rules.append(
            quiet.look(
                time.monotonic(),
                procfs.look_at_threads(process.pid, syscalls.timed),
                window=SECONDS,
            )
        )
        return bool(rules[-1])

    assert until(look)
    assert rules[-1] == "proof"
