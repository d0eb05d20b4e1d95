"""Runs of small submissions, and commands, in real processes."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest

from pytest_mpgrade.isolation.choose import choose_isolation
from pytest_mpgrade.isolation.layer import Isolation
from pytest_mpgrade.records import Assignment, ExploreRules, Limits, Run, Step, Submission
from pytest_mpgrade.run.client.request import Setting

ROOT = Path(__file__).resolve().parents[2]

NOTE_RUN = """
import contextlib
import os
_prefixes = os.path.join(os.environ["TMPDIR"], "..", "..", "prefixes")
with contextlib.suppress(OSError), open(_prefixes, "a") as _file:
    _file.write(os.environ["MPGRADE_RUN"] + "\\n")
"""
"""First lines of a submission that is graded in another process: they tell us under which prefix
its names go.

One that is kept apart cannot tell us, and has a /dev/shm of its own.
"""


def wait_until(met: Callable[[], object], seconds: float = 60.0) -> bool:
    """Poll until *met* is true; False when the deadline came first."""
    deadline = time.monotonic() + seconds
    while not met():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def variables() -> dict[str, str]:
    """Return an environment without traces of the pytest that we are in."""
    apart = ("PYTEST", "COLUMNS", "PY_COLORS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(apart)}
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        "PYTHONIOENCODING": "utf-8",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def run_command(
    arguments: list[str], cwd: Path, seconds: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        arguments,
        cwd=cwd,
        env=variables(),
        capture_output=True,
        encoding="utf-8",
        timeout=seconds,
        check=False,
    )


def code_cell(text: str) -> Any:
    """Return a cell of a notebook; its text may begin with a line ``# tags: a b``."""
    from nbformat import v4

    head, _, rest = text.partition("\n")
    if not head.startswith("# tags: "):
        return v4.new_code_cell(text)
    return v4.new_code_cell(rest, metadata={"tags": head.removeprefix("# tags: ").split()})


def setting(
    folder: Path,
    *,
    observer: str = "auto",
    isolation: str = "none",
    imports: tuple[str, ...] = (),
    explore: ExploreRules | None = None,
    **limits: float,
) -> Setting:
    """Return the setting of a grading of the `cv_funcs.py` in *folder*, for an assignment without a
    rubric.
    """
    assignment = Assignment(
        name="small",
        title="Something small",
        folder=str(folder),
        module="cv_funcs.py",
        functions={},
        start_methods=("fork", "spawn", "forkserver"),
        criteria=(),
        test_file="test_small.py",
        explore=explore or ExploreRules(),
        limits=Limits(**limits),  # type: ignore[arg-type]  # - fields by their names
    )
    submission = Submission(
        id=folder.name,
        path=str(folder),
        folder=str(folder.resolve()),
        module="cv_funcs.py",
        imports=imports,
    )
    return Setting(
        assignment=assignment,
        submission=submission,
        observer=observer,
        isolation=isolated(isolation, str(folder)),
    )


def isolated(layer: str, folder: str) -> Isolation:
    """Return the layer for a `cv_funcs.py` in *folder*; skips by name where this machine does not
    have it.
    """
    if layer == "none":
        return Isolation()
    found = choose_isolation(layer, module=f"{folder}/cv_funcs.py")
    if layer == "auto":
        return found
    if found.level != LEVELS[layer]:
        pytest.skip(
            f"this machine lacks the capability: isolation by {layer}"
            f" ({'; '.join(found.fell_through)})"
        )
    return found


LEVELS = {"uid": "uid", "bwrap": "namespace", "landlock": "landlock"}
"""What each layer that can be asked for is called in results."""


class MakeRuns(Protocol):
    """What the fixture `play` gives; see there."""

    def __call__(
        self, text: str, *steps: Step, method: str = "fork", **options: Any
    ) -> tuple[Run, ...]:
        """Make the calls of *steps* under the start method."""
