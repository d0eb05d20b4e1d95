"""Shared by all tests: small submissions, runs of them, and the proof after every test that nothing of it is left."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from ours import Ours
from pytest_mpgrade.isolation.choose import choose
from pytest_mpgrade.isolation.layer import Isolation
from pytest_mpgrade.records import Assignment, Limits, Run, Scenario, Step, Submission
from pytest_mpgrade.run.client import module_run, servers
from pytest_mpgrade.run.client.request import Setting
from pytest_mpgrade.student import Student
from pytest_mpgrade.student.runs import Grading

pytest_plugins = ["pytester", "scheduling"]

ROOT = Path(__file__).resolve().parent.parent
GONE_SECONDS = 10.0
"""How long what a test has ended may take to be gone; a backstop, not an expectation."""

NOTE_RUN = """
import contextlib
import os
with contextlib.suppress(OSError), open(os.path.join(os.environ["TMPDIR"], "..", "..", "prefixes"), "a") as _file:
    _file.write(os.environ["MPGRADE_RUN"] + "\\n")
"""
"""First lines of a submission that is graded in another process: they tell us under which prefix its names go.

One that is kept apart cannot tell us, and has a /dev/shm of its own.
"""


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell's background job (`make test &`) inherits it ignored, and so would all that the tests start and interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def wait_until(met: Callable[[], object], seconds: float = 60.0) -> bool:
    """Poll until *met* is true; False when the deadline came first."""
    deadline = time.monotonic() + seconds
    while not met():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ours]:
    """Give this test session a temporary folder of its own, and note the prefix of every run that it makes."""
    tmp_path_factory.getbasetemp()  # stays where it is, for whoever wants to see what a test has written
    with tempfile.TemporaryDirectory(prefix="mpg-tests-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # some tests look at it as another user
        found = Ours(Path(folder).resolve())
        ask = servers.ask

        def noted(request: dict[str, Any], seconds: float) -> bytes:
            found.prefixes.add(request["prefix"])
            return ask(request, seconds)

        with pytest.MonkeyPatch.context() as patch:
            for name in ("TMPDIR", "TEMP", "TMP"):
                patch.setenv(name, str(found.temp))
            patch.setattr(tempfile, "tempdir", str(found.temp))
            patch.setattr(servers, "ask", noted)
            yield found
            servers.end_all()


@pytest.fixture(autouse=True)
def nothing_left(ours: Ours) -> Iterator[None]:
    """After every test: no process, no name in /dev/shm and no run's folder of ours is left."""
    yield
    gone = wait_until(lambda: not ours.left(), GONE_SECONDS)
    left = [] if gone else ours.left()
    if left:
        ours.sweep()
        pytest.fail("left behind:\n  " + "\n  ".join(left), pytrace=False)


def variables() -> dict[str, str]:
    """Return an environment without traces of the pytest that we are in."""
    apart = ("PYTEST", "COLUMNS", "PY_COLORS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(apart)}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", "PYTHONDONTWRITEBYTECODE": "1"}


def run_command(arguments: list[str], cwd: Path, seconds: float = 120) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        arguments, cwd=cwd, env=variables(), capture_output=True, encoding="utf-8", timeout=seconds, check=False
    )


def code_cell(text: str) -> Any:
    """Return a cell of a notebook; its text may begin with a line ``# tags: a b``."""
    from nbformat import v4

    head, _, rest = text.partition("\n")
    if not head.startswith("# tags: "):
        return v4.new_code_cell(text)
    return v4.new_code_cell(rest, metadata={"tags": head.removeprefix("# tags: ").split()})


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


def setting(
    folder: Path, *, observer: str = "auto", isolation: str = "none", imports: tuple[str, ...] = (), **limits: float
) -> Setting:
    """Return the setting of a grading of the `cv_funcs.py` in *folder*, for an assignment without a rubric."""
    assignment = Assignment(
        name="small",
        title="Something small",
        folder=str(folder),
        module="cv_funcs.py",
        functions={},
        start_methods=("fork", "spawn", "forkserver"),
        criteria=(),
        test_file="test_small.py",
        limits=Limits(**limits),  # type: ignore[arg-type]
    )
    submission = Submission(
        id=folder.name, path=str(folder), folder=str(folder.resolve()), module="cv_funcs.py", imports=imports
    )
    return Setting(
        assignment=assignment, submission=submission, observer=observer, isolation=isolated(isolation, str(folder))
    )


def isolated(layer: str, folder: str) -> Isolation:
    """Return the layer for a `cv_funcs.py` in *folder*; skips by name where this machine does not have it."""
    if layer == "none":
        return Isolation()
    found = choose(layer, module=f"{folder}/cv_funcs.py")
    if layer == "auto":
        return found
    if found.level != LEVELS[layer]:
        pytest.skip(f"this machine lacks the capability: isolation by {layer} ({'; '.join(found.fell_through)})")
    return found


LEVELS = {"uid": "uid", "bwrap": "namespace", "landlock": "landlock"}
"""What each layer that can be asked for is called in results."""


class MakeRuns(Protocol):
    """What the fixture `play` gives; see there."""

    def __call__(self, text: str, *steps: Step, method: str = "fork", **options: Any) -> tuple[Run, ...]:
        """Make the calls of *steps* under the start method."""


@pytest.fixture
def play(module: Callable[[str], Path]) -> MakeRuns:
    """Return a function that makes calls of a submission in one process: a Run for the import, and for each step.

    Options are those of `setting`.
    """

    def make(text: str, *steps: Step, method: str = "fork", **options: Any) -> tuple[Run, ...]:
        return module_run.run(Scenario(steps=steps, start_method=method), setting(module(text), **options))

    return make


@pytest.fixture
def grading(module: Callable[[str], Path]) -> Iterator[Callable[..., Grading]]:
    """Return a function that makes a `Grading` of a submission, closed when the test is over; options of `setting`."""
    made: list[Grading] = []

    def make(text: str, **options: Any) -> Grading:
        made.append(Grading(setting(module(text), **options)))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def student(grading: Callable[..., Grading]) -> Callable[..., Student]:
    """Return a function that makes a `Student` for a submission's text and a start method."""
    return lambda text, method="fork", **options: Student(grading(text, **options), method)
