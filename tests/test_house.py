"""The rules of the house, held against the source by syntax: who may import whom, and how large things are."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from importlib import import_module
from pathlib import Path

import pytest

import pytest_mpgrade

PACKAGE = Path(pytest_mpgrade.__file__).parent
MODULES = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}
TESTS = sorted(Path(__file__).parent.glob("*.py"))
EACH_MODULE = pytest.mark.parametrize("name", MODULES)

LINES, FUNCTION_LINES = 300, 40

ROOMS: dict[str, tuple[str, ...]] = {
    "traces": ("kinds",),
    "kinds": (),
    "cells": ("kinds", "traces"),
    "code": (),
    "rules": (),
    "scenarios": (),
    "scores": ("kinds",),
    "instead": ("kinds",),
    "records": ("cells", "code", "instead", "kinds", "rules", "scenarios", "scores", "traces"),
    "errors": (),
    "inside": (),
    "tasks": ("inside",),
    "steps": ("inside", "records", "tasks"),
    "process_groups": (),
    "run": ("records", "errors", "locked", "process_groups", "inside", "__init__"),
    "judge": ("records", "errors", "did_you_mean", "known_names", "tasks", "inside.plain"),
    "instants": (),
    "report": ("records", "errors", "instants", "judge.rounding"),
    "limits": ("records", "errors"),
    "toml_text": ("errors",),
    "did_you_mean": (),
    "known_names": (),
    "requirements": ("did_you_mean",),
    "packages": (),
    "assignment": (
        "records",
        "errors",
        "limits",
        "toml_text",
        "did_you_mean",
        "requirements",
        "packages",
        "judge.expression",
        "judge.late",
    ),
    "lexer": (),
    "newer": (),
    "newer_syntax": ("lexer", "newer"),
    "imports": (),
    "syntax": ("records", "errors", "imports", "newer_syntax"),
    "handed_in": ("errors",),
    "notebooks": ("errors", "imports", "syntax", "handed_in", "__init__"),
    "submission": ("records", "errors", "syntax", "handed_in", "notebooks", "__init__"),
    "sources": ("records", "errors", "imports", "syntax", "handed_in", "notebooks", "__init__"),
    "lacking": ("records", "errors", "packages", "sources", "newer", "newer_syntax", "__init__"),
    "__init__": ("judge", "tasks"),  # when asked for, by name
    "grading": ("records", "errors", "run", "judge", "lacking", "__init__"),
    "timing": ("records", "errors", "tasks", "steps", "run", "judge", "grading", "__init__"),
    "student": (
        "records",
        "errors",
        "inside.standins",
        "tasks",
        "steps",
        "run",
        "judge",
        "grading",
        "timing",
        "__init__",
    ),
    "student_notebook": (
        "records",
        "errors",
        "inside.plain",
        "judge",
        "grading",
        "notebooks",
        "start_methods",
        "__init__",
    ),
    "start_methods": (),
    "items": ("records", "errors", "judge", "report"),
    "containment": ("run",),
    "setup": ("records", "errors", "limits", "assignment", "submission", "lacking", "run", "__init__"),
    "session": (
        "records",
        "errors",
        "assignment",
        "submission",
        "run",
        "judge",
        "report",
        "grading",
        "student",
        "student_notebook",
        "items",
        "containment",
        "setup",
        "start_methods",
        "__init__",
    ),
    "rehearsal": ("records", "grading", "student"),
    "plugin": ("records", "rehearsal", "session", "student", "student_notebook"),
    "locked": ("errors",),
    "pytest_child": ("report.console", "__init__"),
    "pytest_run": ("records", "locked", "process_groups", "report", "__init__"),
    "grade": (
        "records",
        "errors",
        "limits",
        "assignment",
        "submission",
        "judge.rubric",
        "lacking",
        "report",
        "pytest_run",
        "__init__",
    ),
    "batch": (
        "records",
        "errors",
        "instants",
        "limits",
        "assignment",
        "judge.late",
        "handed_in",
        "locked",
        "run",
        "report",
        "grade",
        "pytest_run",
        "__init__",
    ),
    "outline": ("records", "errors", "report", "grade", "pytest_run", "__init__"),
    "schemas": ("records", "assignment", "report"),
    "printing": ("assignment", "packages", "report", "outline", "schemas", "__init__"),
    "verify_cases": ("records", "errors", "toml_text", "assignment", "__init__"),
    "verify": (
        "records",
        "errors",
        "assignment",
        "submission",
        "report",
        "grade",
        "pytest_run",
        "verify_cases",
        "__init__",
    ),
    "doctor": ("records", "errors", "assignment", "packages", "lacking", "report", "run", "containment", "__init__"),
    "package": ("records", "errors", "assignment", "packages", "report", "__init__"),
    "arguments": ("errors", "report", "instants", "__init__"),
    "cli": (
        "records",
        "errors",
        "assignment",
        "packages",
        "submission",
        "report",
        "grade",
        "pytest_run",
        "batch",
        "verify",
        "doctor",
        "package",
        "printing",
        "arguments",
    ),
    "__main__": ("cli",),
}
"""Each folder or module of the package, and the others that it may import."""

LIBRARIES: dict[str, dict[str, str]] = {
    "pytest": {
        "plugin.py": "hooks, markers, options and fixtures",
        "session.py": "the object that the plugin registers has hooks too",
        "items.py": "what a test item says of itself",
        "rehearsal.py": "calls tests before pytest does",
        "pytest_child.py": "runs pytest itself, in a process of its own",
        "setup.py": "reads pytest's options",
    },
    "rich": {"report/terminal.py": "draws the report", "report/live.py": "draws a batch while it runs"},
    "psutil": {
        "run/machine.py": "how much of cores and memory is used",
        "run/observe_portable.py": "sees processes where /proc is not",
    },
    "msgspec": {
        "assignment.py": "reads assignment.toml by types",
        "limits.py": "the types of its table of limits",
        "report/result_json.py": "writes result.json, and reads it back",
        "run/supervision.py": "reads what the supervisor tells, by types",
        "run/told.py": "reads what the child tells, by types",
        "schemas.py": "makes schemas of types",
        "session.py": "hands findings on between processes of pytest-xdist",
        "verify.py": "reads its journal back",
    },
    "numpy": {
        "tasks.py": "what a task that returns an array is expected to return; in a function",
        "inside/tasks.py": "a task that returns an array; in a function",
    },
    "yaml": {"batch/layouts/gradescope.py": "reads what Gradescope exports; optional"},
    "jupytext": {"notebooks.py": "reads notebooks of every format; optional"},
    "nbclient": {"run/jupyter.py": "executes notebooks; optional"},
    "jupyter_client": {"run/jupyter.py": "what nbclient talks to kernels with"},
    "zmq": {"run/jupyter.py": "what jupyter_client talks to kernels with"},
    "traitlets": {
        "run/jupyter.py": "how jupyter_client is configured",
        "report/notebook_html.py": "how nbconvert is configured",
    },
    "nbconvert": {"report/notebook_html.py": "makes pages of notebooks; optional"},
    "bleach": {"report/notebook_html.py": "what nbconvert makes pages harmless with"},
    "nbformat": {"run/jupyter.py": "notebooks as nbclient has them"},
    "ipykernel": {
        "inside/kernel.py": "the kernel itself, in the student's process",
        "run/jupyter.py": "knows how a kernel names the code of a cell",
    },
    "IPython": {"notebooks.py": "tells magics from Python; optional"},
    "distributed": {"batch/cluster/on_dask.py": "carries specs to the workers of a Dask scheduler; optional"},
    "dask": {"batch/cluster/jobqueue.py": "the configuration of a scheduler that we start; optional"},
    "dask_jobqueue": {"batch/cluster/jobqueue.py": "starts Dask workers as jobs of a cluster; optional"},
    "tomli": {"toml_text.py": "Python 3.10 has no tomllib"},
}
"""Where each library of others is imported, and what for."""

PURE = frozenset(
    (
        "__future__",
        "difflib",
        "functools",
        "itertools",
        "ast",
        "collections",
        "dataclasses",
        "enum",
        "fractions",
        "heapq",
        "json",
        "math",
        "operator",
        "re",
        "signal",
    )
)
PURE |= frozenset(("statistics", "typing"))
"""What judging may use of the standard library; signal: its names of numbers."""


@cache
def tree(path: Path) -> ast.Module:
    """Return the syntax of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(path: Path) -> set[str]:
    """Return all modules that a file imports, by full name, those too that a function imports or names as a text."""
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(part for part in (_base(path, node.level), node.module) if part)
            found |= {f"{base}.{alias.name}" if _is_ours(base) else base for alias in node.names}
        elif isinstance(node, ast.Call) and _called(node) in ("import_module", "__import__"):
            found |= {
                arg.value for arg in node.args[:1] if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
            }
    return found


def _base(path: Path, level: int) -> str:
    """Return what the dots of a relative import stand for."""
    parents = ("pytest_mpgrade", *path.relative_to(PACKAGE).parent.parts) if level else ()
    return ".".join(parents[: len(parents) - level + 1])


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] == "pytest_mpgrade"


def _called(node: ast.Call) -> str:
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def room(name: str) -> str:
    """Return the room of a module, by its path or its full name without the package."""
    return re.split(r"[./]", name.removesuffix(".py"))[0]


def ours(path: Path) -> set[str]:
    """Return what a file imports of the package, by full names without it."""
    names = {name.partition(".")[2] for name in imports(path) if _is_ours(name)}
    homes = {"checks": "judge.checks"}  # pytest_mpgrade.__getattr__
    named = {homes.get(name, name) for name in names}
    return {name if room(name) in ROOMS else "__init__" for name in named}


# --- who may import whom


@EACH_MODULE
def test_imports_point_one_way(name: str) -> None:
    """A module imports of the package only what its room may, hidden imports included."""
    mine = room(name)
    assert mine in ROOMS, f"{name}: say in ROOMS what it may import"
    allowed = (mine, *ROOMS[mine])
    wrong = [other for other in ours(MODULES[name]) if not any(f"{other}.".startswith(f"{one}.") for one in allowed)]
    assert not wrong


def test_rooms_have_no_circle() -> None:
    """The table itself points one way."""
    TopologicalSorter({one: {room(other) for other in others} for one, others in ROOMS.items()}).prepare()


@EACH_MODULE
def test_each_library_has_its_place(name: str) -> None:
    """A library of others is imported only where the list says, and why."""
    foreign = {one.partition(".")[0] for one in imports(MODULES[name])} - sys.stdlib_module_names - {"pytest_mpgrade"}
    assert {one for one in foreign if name not in LIBRARIES.get(one, {})} == set()


@pytest.mark.parametrize("name", [name for name in MODULES if room(name) == "judge"])
def test_judging_is_pure(name: str) -> None:
    """Checks know no process, no file, no clock and no chance."""
    foreign = {one.partition(".")[0] for one in imports(MODULES[name]) if not _is_ours(one)}
    assert foreign <= PURE
    calls = {_called(node) for node in ast.walk(tree(MODULES[name])) if isinstance(node, ast.Call)}
    assert not calls & {"open", "print", "input", "exec", "eval", "__import__"}


@pytest.mark.parametrize("path", [*MODULES.values(), *TESTS], ids=lambda path: path.name)
def test_no_private_module_of_pytest(path: Path) -> None:
    """Nothing is imported from _pytest."""
    assert "_pytest" not in {one.partition(".")[0] for one in imports(path)}


@pytest.mark.parametrize("module", ["pytest_mpgrade", "pytest_mpgrade.inside.tasks", "pytest_mpgrade.inside.child"])
def test_import_is_light(module: str) -> None:
    """What every spawned worker imports loads no library of others, and not multiprocessing."""
    code = f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60, cwd=PACKAGE.parent
    )
    assert not set(done.stdout.split()) & {*LIBRARIES, "multiprocessing", "multiprocess", "_pytest"}


# --- how things look


@EACH_MODULE
def test_size(name: str) -> None:
    """A module has at most 300 lines, and a function 40."""
    lines = len(MODULES[name].read_text(encoding="utf-8").splitlines())
    long = {f"{function.name}()": _length(function) for function in _functions(tree(MODULES[name]))}
    over = {one: length for one, length in long.items() if length > FUNCTION_LINES}
    assert (over, lines <= LINES) == ({}, True), f"{name} has {lines} lines"


def _functions(module: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(module) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


@EACH_MODULE
def test_no_global(name: str) -> None:
    """State lives in objects."""
    assert [node.names for node in ast.walk(tree(MODULES[name])) if isinstance(node, ast.Global)] == []


@EACH_MODULE
def test_docstrings(name: str) -> None:
    """Modules and all that is public in them have docstrings; the methods of a Protocol may do without."""
    module = tree(MODULES[name])
    missing = [one.name for one in _public(module) if not ast.get_docstring(one)]
    assert missing == []
    assert ast.get_docstring(module) or not module.body


def _public(module: ast.Module) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in module.body:
        if not isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) or node.name.startswith("_"):
            continue
        yield node
        if isinstance(node, ast.ClassDef) and "Protocol" not in {getattr(base, "id", "") for base in node.bases}:
            for inner in node.body:
                if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)) and not inner.name.startswith("_"):
                    yield inner


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_tests_say_what_they_test(path: Path) -> None:
    """Every test has a docstring of one sentence that names the behaviour."""
    tests = [one for one in _functions(tree(path)) if one.name.startswith("test_")]
    wrong = {one.name: text for one in tests if not _one_sentence(text := ast.get_docstring(one) or "")}
    assert wrong == {}


def _one_sentence(text: str) -> bool:
    return text.endswith(".") and "\n\n" not in text and not re.search(r"[.!?]\s+[A-Z]", text)


# --- what is public


@pytest.mark.parametrize(
    "module", ["pytest_mpgrade", "pytest_mpgrade.tasks", "pytest_mpgrade.judge.checks", "pytest_mpgrade.steps"]
)
def test_public_names(module: str) -> None:
    """`__all__` names what there is, all that is meant for course authors, and nothing twice."""
    loaded = import_module(module)
    assert len(set(loaded.__all__)) == len(loaded.__all__)
    assert set(loaded.__all__) <= set(dir(loaded))
    assert all(getattr(loaded, name) is not None for name in loaded.__all__)
    assert _defined(Path(str(loaded.__file__)), module) <= set(loaded.__all__)


def _defined(path: Path, module: str) -> set[str]:
    """Return the public functions and classes that a module defines; for checks, those that it collects."""
    found = {node.name for node in tree(path).body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
    if module.endswith(".checks"):
        found |= {name.rpartition(".")[2] for name in imports(path) if _is_ours(name)}
    return {name for name in found if not name.startswith("_")}


def test_dir_of_the_package() -> None:
    """`dir()` of the package shows what is public, and nothing else."""
    assert dir(pytest_mpgrade) == sorted(pytest_mpgrade.__all__)


def test_package_is_typed() -> None:
    """Type checkers find the types of the package (PEP 561)."""
    assert (PACKAGE / "py.typed").is_file()
