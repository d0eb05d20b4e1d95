"""Servers of supervisors are forked from one process, the zygote; real processes and signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from pytest_mpgrade import steps
from pytest_mpgrade.records import Ending, Scenario
from pytest_mpgrade.run.client import module_run, server_process, supervisor_pool
from support.ours import is_forked_server, is_server, is_zygote
from support.running import setting, wait_until
from support.runs import encoded

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="servers are forked on Linux only"
)

WAITS = """
    import os
    import time

    HERE = os.path.dirname(__file__)

    def f(number):
        open(os.path.join(HERE, f"began-{number}"), "w").close()
        while not os.path.exists(os.path.join(HERE, "go")):
            time.sleep(0.01)
        return number
"""


@pytest.fixture(autouse=True)
def no_servers() -> Iterator[None]:
    """Begin and end without servers."""
    supervisor_pool.end_all()
    yield
    supervisor_pool.end_all()


def zygotes() -> list[psutil.Process]:
    """Return what our servers are forked from."""
    return [each for each in psutil.Process().children() if is_zygote(each)]


def servers() -> list[psutil.Process]:
    """Return the servers of this process."""
    return [each for each in psutil.Process().children(recursive=True) if is_server(each)]


def call(folder: Path, number: int) -> tuple[Ending, object]:
    """Make one call; return how it ended, and with what."""
    scenario = Scenario(steps=(steps.call("f", number),), start_method="fork")
    run = module_run.run_module(scenario, setting(folder))[1]
    return run.ending, run.encoded


@pytest.fixture
def two_runs(module: Callable[[str], Path]) -> Iterator[tuple[Path, list[object]]]:
    """Make two runs at a time that go on when told; yield their folder, and where they end up."""
    folder = module(WAITS)
    ended: list[object] = []
    threads = [threading.Thread(target=lambda n=n: ended.append(call(folder, n))) for n in (1, 2)]
    for thread in threads:
        thread.start()
    assert wait_until(lambda: all((folder / f"began-{n}").exists() for n in (1, 2)))
    yield folder, ended
    (folder / "go").touch()
    for thread in threads:
        thread.join()


def test_runs_at_a_time_have_servers_of_one_zygote(two_runs: tuple[Path, list[object]]) -> None:
    """Each server leads a group of its own, and belongs to the session of the zygote."""
    (zygote,) = zygotes()
    found = servers()
    assert len(found) == 2
    assert all(is_forked_server(each) and each.ppid() == zygote.pid for each in found)
    assert {os.getpgid(each.pid) for each in found} == {each.pid for each in found}
    assert {os.getsid(each.pid) for each in found} == {zygote.pid} != {os.getsid(0)}


def test_killed_zygote_costs_no_run(two_runs: tuple[Path, list[object]]) -> None:
    """Servers go on without it, and the next one is forked from another."""
    folder, ended = two_runs
    (zygote,) = zygotes()
    zygote.kill()
    zygote.wait()
    (folder / "go").touch()
    assert call(folder, 3) == (Ending.RETURNED, encoded(3))
    assert wait_until(lambda: len(ended) == 2)
    assert sorted(map(str, ended)) == sorted(str((Ending.RETURNED, encoded(n))) for n in (1, 2))
    assert [each.pid for each in zygotes()] != [zygote.pid]


def test_stopped_zygote_goes_on(module: Callable[[str], Path]) -> None:
    """Student code may stop it where nothing keeps its signals away."""
    folder = module(WAITS)
    (folder / "go").touch()
    supervisor_pool.guard()
    (zygote,) = zygotes()
    assert wait_until(servers)
    zygote.send_signal(signal.SIGSTOP)
    (server,) = servers()
    server.kill()  # so that another one is needed
    with pytest.raises(Exception, match="server"):
        call(folder, 1)
    assert call(folder, 2) == (Ending.RETURNED, encoded(2))
    assert [each.pid for each in zygotes()] == [zygote.pid]


def test_ended_server_keeps_its_id_until_nobody_signals_it(module: Callable[[str], Path]) -> None:
    """It remains a zombie as long as its group may be told to end, and is reaped after that."""
    folder = module(WAITS)
    (folder / "go").touch()
    call(folder, 1)
    (server,) = servers()
    server.kill()
    assert wait_until(lambda: server.status() == psutil.STATUS_ZOMBIE)
    supervisor_pool.end_all()
    assert wait_until(lambda: not server.is_running())


def test_without_a_zygote_a_server_is_an_interpreter(
    module: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where what servers are forked from cannot be started, runs are what they are with it."""
    folder = module(WAITS)
    (folder / "go").touch()
    real = subprocess.Popen

    def popen(command: list[str], **more: Any) -> Any:
        if command[-1].endswith("zygote"):
            raise OSError("on purpose")
        return real(command, **more)

    with monkeypatch.context() as patch:
        patch.setattr(subprocess, "Popen", popen)
        assert call(folder, 1) == (Ending.RETURNED, encoded(1))
        (server,) = servers()
    assert not is_forked_server(server)
    assert server.ppid() == os.getpid()
    assert not zygotes()


def test_server_that_is_told_to_end_before_it_was_forked(tmp_path: Path) -> None:
    """The order comes back with the id, and the signal waits for that."""
    with (tmp_path / "errors").open("wb") as errors:
        server = server_process.start(errors.fileno(), notebooks=False)
    os.killpg(server.pid, signal.SIGTERM)
    assert server.wait(30.0) == -signal.SIGTERM == server.returncode
    assert server.stdin
    assert server.stdout
    server.stdin.close()
    server.stdout.close()


def test_grader_that_has_gone_takes_them_along(tmp_path: Path) -> None:
    """The zygote and its servers end with the process that has started them, however it ends."""
    text = (
        "import os, time\n"
        "from pytest_mpgrade.run.client import supervisor_pool\n"
        "supervisor_pool.guard()\n"
        "print(supervisor_pool._idle[0]._process.pid, flush=True)\n"
        "time.sleep(1000)\n"
    )
    grader = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True)
    assert grader.stdout
    server = psutil.Process(int(grader.stdout.readline()))
    zygote = psutil.Process(server.ppid())
    grader.kill()
    grader.communicate()
    assert psutil.wait_procs([server, zygote], 30.0)[1] == []
