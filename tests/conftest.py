"""Shared by all tests: small submissions, runs of them, and the proof after every test that nothing
of it is left.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_mpgrade.records import Run, Scenario, Step
from pytest_mpgrade.run.client import module_run, supervisor_pool
from pytest_mpgrade.run.protocol import CallsRequest, CellsRequest
from pytest_mpgrade.student import Student
from pytest_mpgrade.student.runs import RunCache
from support.ours import Ours
from support.running import MakeRuns, setting, wait_until


def pytest_configure(config: pytest.Config) -> None:
    """Let what pytest 10 takes away be an error, where this pytest tells of it: 9.0 or newer."""
    if hasattr(pytest, "PytestRemovedIn10Warning"):
        config.addinivalue_line("filterwarnings", "error::pytest.PytestRemovedIn10Warning")


pytest_plugins = ["pytester", "support.scheduling", "support.valid_results"]

GONE_SECONDS = 10.0
"""How long what a test has ended may take to be gone; a backstop, not an expectation."""


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell's background job (`make test &`) inherits it ignored, and so would all that the tests
    # start and interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # `nohup make test`


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ours]:
    """Give this test session a temporary folder of its own, and note the prefix of every run that
    it makes.
    """
    # stays where it is, for whoever wants to see what a test has written
    tmp_path_factory.getbasetemp()
    with tempfile.TemporaryDirectory(prefix="mpg-tests-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # some tests look at it as another user
        found = Ours(Path(folder).resolve())
        ask = supervisor_pool.ask_server

        def noted(request: CallsRequest | CellsRequest, seconds: float) -> bytes:
            found.prefixes.add(request.prefix)
            return ask(request, seconds)

        with pytest.MonkeyPatch.context() as patch:
            for name in ("TMPDIR", "TEMP", "TMP"):
                patch.setenv(name, str(found.temp))
            patch.setattr(tempfile, "tempdir", str(found.temp))
            patch.setattr(supervisor_pool, "ask_server", noted)
            yield found
            supervisor_pool.end_all()


@pytest.fixture(autouse=True)
def nothing_left(ours: Ours) -> Iterator[None]:
    """After every test: no process, no name in /dev/shm and no run's folder of ours is left."""
    yield
    gone = wait_until(lambda: not ours.left(), GONE_SECONDS)
    left = [] if gone else ours.left()
    if left:
        ours.sweep()
        pytest.fail("left behind:\n  " + "\n  ".join(left), pytrace=False)


# --- submissions and runs of them


@pytest.fixture
def module(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that writes a `cv_funcs.py` into a fresh folder and returns the folder."""
    count = 0

    def write(text: str) -> Path:
        nonlocal count
        count += 1
        folder = tmp_path / f"submission{count}"
        folder.mkdir()
        (folder / "cv_funcs.py").write_text(textwrap.dedent(text).lstrip())
        return folder

    return write


@pytest.fixture
def play(module: Callable[[str], Path]) -> MakeRuns:
    """Return a function that makes calls of a submission in one process: a Run for the import, and
    for each step.

    Options are those of `setting`.
    """

    def make(text: str, *steps: Step, method: str = "fork", **options: Any) -> tuple[Run, ...]:
        return module_run.run_module(
            Scenario(steps=steps, start_method=method), setting(module(text), **options)
        )

    return make


@pytest.fixture
def run_cache(module: Callable[[str], Path]) -> Iterator[Callable[..., RunCache]]:
    """Return a function that makes the runs of a submission, ended when the test is over; options
    of `setting`.
    """
    made: list[RunCache] = []

    def make(text: str, **options: Any) -> RunCache:
        made.append(RunCache(setting(module(text), **options)))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def student(run_cache: Callable[..., RunCache]) -> Callable[..., Student]:
    """Return a function that makes a `Student` for a submission's text and a start method."""
    return lambda text, method="fork", **options: Student(run_cache(text, **options), method)


@pytest.fixture
def others_have_the_cores() -> Iterator[None]:
    """Run four times as many loops as there are cores, each in a session: they may be scheduled by
    those.
    """
    loop = [sys.executable, "-c", "while True: pass"]
    loops = [
        subprocess.Popen(loop, start_new_session=True) for _ in range(4 * (os.cpu_count() or 1))
    ]
    yield
    for process in loops:
        process.kill()
        process.wait()
