"""A good assignment.toml, and how to write one."""

from __future__ import annotations

from pathlib import Path

import pytest

GOOD = """\
name = "hw3"
title = "Home work"
module = "cv_funcs.py"
points = 5
functions = ["calculate(func, args)", "async mp_apply(tasks, n_processes=2)"]
start_methods = ["fork", "spawn"]
test = "test_hw3.py"

[limits]
seconds = 12

[[criteria]]
name = "results"
title = "Right results"
points = 3

[[criteria]]
name = "shutdown"
points = 2
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An author's folder with a test file, seen from the folder above it."""
    made = tmp_path / "hw3"
    made.mkdir()
    (made / "test_hw3.py").write_text("", "utf-8")
    monkeypatch.chdir(tmp_path)
    return made


def write(folder: Path, text: str) -> Path:
    """Write an assignment's file as it stands."""
    file = folder / "assignment.toml"
    file.write_bytes(text.encode())
    return file
