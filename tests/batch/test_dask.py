"""Batches on a real Dask scheduler: two workers as two hosts, killed workers, killed drivers."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from support.clusters import (
    PATIENCE,
    SLOW,
    UNREADABLE,
    attempts,
    below,
    course,
    gone,
    grades,
    many,
    poisonous,
    reason,
    running,
    words,
)
from support.running import run_command, wait_until
from support.small_class import RIGHT, command, gradebook

pytest.importorskip("distributed", reason="needs the extra cluster")
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="POSIX signals, /proc")
DASK = (
    [sys.executable, "-m", "distributed.cli.dask_scheduler"],
    [
        sys.executable,
        "-m",
        "distributed.cli.dask_worker",
    ],
)
LOOPBACK = "127.0.0.1"
ITS_OWN_SHM = ("sh", "-c", 'mount -t tmpfs none /dev/shm && exec "$@"', "sh")
"""In the mount namespace of ``ip netns exec``: semaphores of a killed host go with it, as when it
loses its power.
"""


@contextlib.contextmanager
def scheduler(folder: Path, **more: str) -> Iterator[tuple[str, int]]:
    """Run a scheduler and a worker with two slots on this host; gives the address, and the pid of
    the nanny.
    """
    with socket.socket() as free:
        free.bind((LOOPBACK, 0))
        port = free.getsockname()[1]
    address = f"tcp://{LOOPBACK}:{port}"
    command = [*DASK[0], "--host", LOOPBACK, "--port", str(port), "--no-dashboard"]
    with running(command, folder, "scheduler.log", **more), worker(folder, address) as nanny:
        yield address, nanny


@contextlib.contextmanager
def worker(
    folder: Path, address: str, *before: str, name: str = "w1", options: tuple[str, ...] = ()
) -> Iterator[int]:
    """Run a worker with two slots; gives the pid of its nanny."""
    command = [
        *before,
        *DASK[1],
        address,
        "--name",
        name,
        "--nthreads",
        "2",
        "--resources",
        "core=2",
    ]
    command += ["--no-dashboard", "--local-directory", str(folder / name), *options]
    with running(command, folder, f"{name}.log") as process:
        yield process.pid


def test_poison_is_quarantined_and_innocents_are_graded(tmp_path: Path) -> None:
    """A submission that ends its worker is run alone, then left to a person; all others have their
    grades.
    """
    course(tmp_path, {"poison": SLOW, **many(2, 3)})
    with (
        scheduler(tmp_path, DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0") as (address, nanny),
        poisonous(nanny, "poison") as ended,
    ):
        done = run_command(
            words("--executor", "dask", "--scheduler", address), tmp_path, seconds=PATIENCE
        )
    assert len(ended) == 3
    found = gradebook(tmp_path)
    assert found.pop("poison") == ("error", "0"), done.stderr
    assert "look at it by hand" in reason(tmp_path, "poison")
    assert {name: score for name, (_, score) in found.items() if score != "0"} == {
        "right00": "1",
        "right01": "1",
    }
    assert {status for status, _ in found.values()} == {"graded", "ungradable"}


def test_killed_driver_leaves_nothing_and_is_gone_on_with(tmp_path: Path) -> None:
    """When the driver is killed, workers end its gradings; the next one takes up what is there."""
    course(tmp_path, {"slow": SLOW.replace("20", "3600"), "chloe": UNREADABLE})
    with scheduler(tmp_path) as (address, nanny):
        options = words("--executor", "dask", "--scheduler", address)
        with running(options, tmp_path, "driver.log") as driver:
            assert wait_until(lambda: grades(nanny, "slow"), PATIENCE), (
                tmp_path / "driver.log"
            ).read_text()
            assert wait_until(lambda: attempts(tmp_path) == 2, PATIENCE)
            tree = [each for each in below(nanny) if "mpgrade" in " ".join(command(each))]
            driver.send_signal(signal.SIGKILL)
            assert gone(tree)
        (tmp_path / "class" / "slow" / "double.py").write_text(RIGHT)
        done = run_command(options, tmp_path, seconds=PATIENCE)
    assert gradebook(tmp_path) == {
        "slow": ("graded", "1"),
        "chloe": ("ungradable", "0"),
    }, done.stderr
    assert attempts(tmp_path) == 3


# --- two hosts


@pytest.fixture
def hosts() -> Iterator[list[str]]:
    """Three network namespaces: a head, and two hosts that each reach nothing but the head."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("needs root and iproute2 for network namespaces")
    names = [f"mpgrade-{os.getpid()}-{number}" for number in range(3)]
    head, *others = names
    try:
        for name in names:
            _ip("netns", "add", name)
            _ip("-n", name, "link", "set", "lo", "up")
        for number, name in enumerate(others, start=1):
            _ip(
                "-n",
                head,
                "link",
                "add",
                f"to{number}",
                "type",
                "veth",
                "peer",
                "name",
                "uplink",
                "netns",
                name,
            )
            for place, link, end in ((head, f"to{number}", 1), (name, "uplink", 2)):
                _ip("-n", place, "addr", "add", f"10.99.{number}.{end}/24", "dev", link)
                _ip("-n", place, "link", "set", link, "up")
    except subprocess.CalledProcessError as error:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
        pytest.skip(f"no network namespaces here: {error.stderr}")
    yield names
    for name in names:
        _ip("netns", "del", name)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], capture_output=True, text=True, check=True)


@pytest.fixture
def tls(tmp_path: Path) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the certificates of a cluster, as options of its parts and as variables of a
    driver.
    """
    from distributed.security import Security

    made = Security.temporary()
    parts = {
        "ca-file": made.tls_ca_file,
        "cert": made.tls_scheduler_cert,
        "key": made.tls_scheduler_key,
    }
    for name, text in parts.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    options = tuple(word for name in parts for word in (f"--tls-{name}", str(tmp_path / name)))
    start = "DASK_DISTRIBUTED__COMM__TLS__"
    named = {"CA_FILE": "ca-file", "CLIENT__CERT": "cert", "CLIENT__KEY": "key"}
    return options, {f"{start}{key}": str(tmp_path / name) for key, name in named.items()}


def test_killed_host_loses_nothing(
    tmp_path: Path, hosts: list[str], tls: tuple[tuple[str, ...], dict[str, str]]
) -> None:
    """When one of two hosts is killed in mid-run, all results are there, over TLS, and nothing is
    left on it.
    """
    course(tmp_path, {"zoe": SLOW, **many(3, 4)})
    options, named = tls
    on = [("ip", "netns", "exec", name, *ITS_OWN_SHM) for name in hosts]
    command = [*on[0], *DASK[0], "--protocol", "tls", "--port", "8786", "--no-dashboard", *options]
    driver = [*on[0], *words("--executor", "dask", "--scheduler", "tls://10.99.1.1:8786")]
    with contextlib.ExitStack() as stack:
        stack.enter_context(running(command, tmp_path, "scheduler.log"))
        nannies = [
            stack.enter_context(
                worker(
                    tmp_path,
                    f"tls://10.99.{number}.1:8786",
                    *on[number],
                    name=f"w{number}",
                    options=options,
                )
            )
            for number in (1, 2)
        ]
        batch = stack.enter_context(running(driver, tmp_path, "driver.log", **named))
        found: list[int] = []

        def find() -> list[int]:
            """Return who grades the last one, when all others are done: nothing else is
            disturbed.
            """
            found[:] = [
                each for each in nannies if grades(each, "zoe") and attempts(tmp_path, "ended") == 7
            ]
            return found

        assert wait_until(find, PATIENCE), (tmp_path / "driver.log").read_text()
        tree = below(found[0])
        # the nanny and its worker, as when a host loses its power
        lost = [tree[0], *tree[0].children()]
        for each in lost:
            with contextlib.suppress(psutil.NoSuchProcess):  # a worker ends with its nanny
                each.kill()
        assert gone(tree)
        assert batch.wait(PATIENCE) == 3, (tmp_path / "driver.log").read_text()
    book = gradebook(tmp_path)
    assert {name for name, grade in book.items() if grade == ("graded", "1")} == {
        "zoe",
        *many(3, 0),
    }
    assert {name for name, grade in book.items() if grade == ("ungradable", "0")} == {*many(0, 4)}
