"""What Python 3.14 and 3.15 have changed or taken away is not relied on.

The tests run on every Python. What only a newer one can show is shown there.
"""

from __future__ import annotations

import ast
import multiprocessing
import subprocess
import sys
from pathlib import Path

import pytest

import pytest_mpgrade
from pytest_mpgrade.course.start_methods import chosen
from support.running import ROOT

PACKAGE = Path(pytest_mpgrade.__file__).parent
SOURCES = sorted(
    path
    for folder in (PACKAGE, ROOT / "assignments", ROOT / "reference", ROOT / "benchmarks")
    for path in folder.rglob("*.py")
    if {"wrong", "hostile", "slow"}.isdisjoint(path.parts)
)

GONE = {
    "ast": {"Num", "Str", "Bytes", "NameConstant", "Ellipsis"},
    "asyncio": {
        *("AbstractChildWatcher", "ThreadedChildWatcher", "PidfdChildWatcher", "SafeChildWatcher"),
        *("FastChildWatcher", "MultiLoopChildWatcher", "get_child_watcher", "set_child_watcher"),
        *("get_event_loop_policy", "set_event_loop_policy", "iscoroutinefunction"),
    },
    "pkgutil": {"find_loader", "get_loader"},
    "importlib.abc": {"ResourceReader", "Traversable", "TraversableResources"},
    "typing": {"ByteString"},
    "sys": {"_clear_type_cache"},
    "platform": {"java_ver"},
}
"""Names that Python 3.14 or 3.15 has removed, or warns of, by their modules."""


def test_names_that_are_gone_are_not_used() -> None:
    """No source names what 3.14 or 3.15 has removed from a module of the standard library."""
    used = [
        f"{path.name}:{node.lineno}: {node.value.id}.{node.attr}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.attr in GONE.get(node.value.id, ())
    ]
    assert len(SOURCES) > 300
    assert used == []


def test_start_of_a_finally_block_is_not_left() -> None:
    """No source leaves a `finally` block by return, break or continue, of which 3.14 warns."""
    code = (
        "import pathlib, sys\n"
        "for name in sys.argv[1:]: compile(pathlib.Path(name).read_bytes(), name, 'exec')"
    )
    command = [sys.executable, "-W", "error", "-c", code, *map(str, SOURCES)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_importing_all_of_it_warns_of_nothing() -> None:
    """What a grading imports of ours and of the standard library is not on its way out."""
    code = (
        "import pytest_mpgrade.cli, pytest_mpgrade.plugin, pytest_mpgrade.batch\n"
        "import pytest_mpgrade.grade, pytest_mpgrade.run.supervisor.server\n"
        "import pytest_mpgrade.inside.child, pytest_mpgrade.inside.workloads"
    )
    command = [sys.executable, "-W", "error:::pytest_mpgrade", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_platforms_default_comes_first() -> None:
    """The mark "default" asks under the method that a fresh interpreter takes: since 3.14 that is
    forkserver on Linux.
    """
    code = "import multiprocessing as mp; print(mp.get_start_method())"
    default = subprocess.check_output([sys.executable, "-c", code], text=True, timeout=60).strip()
    assert chosen(multiprocessing.get_all_start_methods(), ["default"]) == (default,)
    if sys.platform == "linux":
        assert default == ("forkserver" if sys.version_info >= (3, 14) else "fork")


def test_the_default_is_taken_from_what_the_assignment_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where forkserver is the default, as on 3.14, an assignment without it is asked under fork."""
    methods = ["forkserver", "fork", "spawn"]
    monkeypatch.setattr(multiprocessing, "get_all_start_methods", lambda: methods)
    assert chosen(["fork", "spawn", "forkserver"], ["default"]) == ("forkserver",)
    assert chosen(["spawn", "fork"], ["default"]) == ("fork",)
    assert chosen(["spawn", "fork"], ["any"]) == ("spawn",)
