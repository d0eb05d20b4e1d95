"""The rules of the house, held against the source by syntax: who may import whom, and how large
things are.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from graphlib import TopologicalSorter
from importlib import import_module
from pathlib import Path
from typing import TypeVar

import grimp
import pytest

import pytest_mpgrade
from support.running import ROOT

PACKAGE = Path(pytest_mpgrade.__file__).parent
MODULES = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}
TESTS = sorted(
    path
    for path in (ROOT / "tests").rglob("*.py")
    if not {"designs", "racy", "data"} & {*path.parts}
)

LINES, FUNCTION_LINES = 300, 40
tomllib = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
_Item = TypeVar("_Item", str, Path)


def for_each(items: Iterable[_Item]) -> Callable[[Callable[[_Item], None]], Callable[[], None]]:
    """Have a rule hold for each item, in one test that fails with all for which it does not.

    A test for each item and rule would be thousands, which each process of pytest-xdist collects.
    """

    def decorated(rule: Callable[[_Item], None]) -> Callable[[], None]:
        def test() -> None:
            broken: list[str] = []
            for item in items:
                try:
                    rule(item)
                except AssertionError as error:
                    broken.append(f"{item}: {error}")
            assert not broken, "\n".join(broken)

        test.__name__, test.__doc__ = rule.__name__, rule.__doc__
        return test

    return decorated


LIBRARIES: dict[str, dict[str, str]] = {
    "pytest": {
        "plugin.py": "hooks, markers, options and fixtures",
        "session/session.py": "the object that the plugin registers has hooks too",
        "session/authoring.py": "says what is wrong with a test file",
        "session/failures.py": "takes the place of pytest's section of tracebacks",
        "session/items.py": "what a test item says of itself",
        "session/rehearsal.py": "calls tests before pytest does",
        "grade/pytest_child.py": "runs pytest itself, in a process of its own",
        "session/selection.py": "says which tests are meant, and names them",
        "session/setup.py": "reads pytest's options",
        "session/told.py": "ends pytest, and shows lines between its own",
        "session/question_calls.py": "runs one test of an assignment to learn of its calls",
        "session/estimate.py": "looks at the tests that are ahead",
        "session/live_progress.py": "tells of tests as they end",
        "session/printed_output.py": "fills pytest's sections of captured output",
    },
    "rich": {
        "report/terminal/__init__.py": "draws the report",
        "report/terminal/page.py": "prints what the report draws",
        "report/terminal/points_table.py": "lays out a table",
        "report/terminal/class_summary.py": "draws the class",
        "report/terminal/live.py": "draws a batch while it runs",
    },
    "psutil": {
        "system/machine.py": "how much of cores and memory is used",
        "run/observe/portable.py": "sees processes where /proc is not",
        "system/process_tree.py": "ends what runs in a user's own terminal",
    },
    "msgspec": {
        "course/assignment.py": "makes rules of the tables of assignment.toml",
        "course/document.py": "what assignment.toml may say",
        "course/document_decoding.py": "reads it by types",
        "course/tables.py": "the types of its table of limits",
        "report/result_json.py": "writes result.json, and reads it back",
        "records/scripts.py": "gate scripts, each with its name as JSON",
        "run/observe/gate_socket.py": "reads what tasks send, by types",
        "run/protocol.py": "what both ends of a run's pipes say, by types",
        "run/client/supervisor_pool.py": "reads what a server reports last",
        "run/client/request.py": "knows a report that cannot be read",
        "run/supervisor/__init__.py": "completes a report",
        "session/live_events.py": "writes and reads what a grading tells meanwhile",
        "session/live_progress.py": "reads the findings of a test's report",
        "run/client/answers.py": "reads what the child tells, by types",
        "cli/schemas.py": "makes schemas of types",
        "session/session.py": "hands findings on between processes of pytest-xdist",
        "cli/verify.py": "reads its journal back",
    },
    "numpy": {
        "records/plain_values.py": "arrays that a submission returned; in a function",
        "tasks.py": "what a task that returns an array is expected to return; in a function",
        "inside/workloads.py": "a task that returns an array; in a function",
        "inside/model_workloads.py": "what a stand-in for a model predicts; in a function",
        "inside/inspections.py": "the state of its global generator; in a function",
    },
    "yaml": {"batch/layouts/gradescope.py": "reads what Gradescope exports; optional"},
    "jupytext": {"submission/notebooks.py": "reads notebooks of every format; optional"},
    "nbclient": {"run/supervisor/jupyter.py": "executes notebooks; optional"},
    "jupyter_client": {"run/supervisor/jupyter.py": "what nbclient talks to kernels with"},
    "zmq": {"run/supervisor/jupyter.py": "what jupyter_client talks to kernels with"},
    "traitlets": {
        "run/supervisor/jupyter.py": "how jupyter_client is configured",
        "report/notebook/html.py": "how nbconvert is configured",
    },
    "nbconvert": {"report/notebook/html.py": "makes pages of notebooks; optional"},
    "bleach": {"report/notebook/html.py": "what nbconvert makes pages harmless with"},
    "nbformat": {"run/supervisor/jupyter.py": "notebooks as nbclient has them"},
    "ipykernel": {
        "inside/notebook_kernel.py": "the kernel itself, in the student's process",
        "run/supervisor/jupyter.py": "knows how a kernel names the code of a cell",
    },
    "IPython": {"submission/notebooks.py": "tells magics from Python; optional"},
    "distributed": {
        "batch/cluster/dask.py": "carries specs to the workers of a Dask scheduler; optional"
    },
    "dask": {
        "batch/cluster/jobqueue.py": "the configuration of a scheduler that we start; optional"
    },
    "dask_jobqueue": {
        "batch/cluster/jobqueue.py": "starts Dask workers as jobs of a cluster; optional"
    },
    "jinja2": {"report/pages/html.py": "makes pages of templates, and escapes what is in them"},
    "markupsafe": {
        "report/pages/html.py": "tells what Jinja2 need not escape",
        "report/pages/charts.py": "a chart is HTML of ours",
        "report/pages/highlighting.py": "and so is a line that Pygments has escaped",
        "report/pages/timings.py": "the type of a chart",
        "report/pages/timelines.py": "the type of a drawing",
        "report/pages/failures.py": "and here too",
        "report/pages/class_page.py": "the type of the cells of a heat map",
    },
    "pygments": {"report/pages/highlighting.py": "colours a student's source"},
    "leather": {"report/pages/charts.py": "draws charts as SVG that needs nothing else"},
    "libcst": {
        "cli/mutants/source.py": "syntax that keeps its comments and layout; optional",
        "cli/mutants/dropped.py": "makes syntax",
        "cli/mutants/exchanged.py": "makes syntax",
        "cli/mutants/processes.py": "makes syntax",
        "cli/mutants/arguments.py": "makes syntax",
        "cli/mutants/doubled.py": "makes syntax",
        "cli/mutants/locks.py": "makes syntax",
        "cli/mutants/handlers.py": "makes syntax",
        "cli/mutants/awaits.py": "makes syntax",
    },
    "tomli": {"course/toml_text.py": "Python 3.10 has no tomllib"},
}
"""Where each library of others is imported, and what for."""

PURE = frozenset(
    (
        *(
            "__future__",
            "ast",
            "collections",
            "dataclasses",
            "enum",
            "fractions",
            "functools",
            "itertools",
            "json",
            "math",
        ),
        *("inspect", "re", "signal", "statistics", "string", "textwrap", "typing"),
    )
)
"""What judging may use of the standard library; signal: its names of numbers; inspect, string:
parameters of checks.
"""


@cache
def tree(path: Path) -> ast.Module:
    """Return the syntax of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(path: Path) -> set[str]:
    """Return all modules that a file imports, by full name, those too that a function imports or
    names as a text.
    """
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(part for part in (_base(path, node.level), node.module) if part)
            found |= {f"{base}.{alias.name}" if _is_ours(base) else base for alias in node.names}
        elif isinstance(node, ast.Call) and _called(node) in ("import_module", "__import__"):
            found |= {
                arg.value
                for arg in node.args[:1]
                if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
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
    """Return the room of a module, by its path."""
    return re.split(r"[./]", name.removesuffix(".py"))[0]


# --- who may import whom


def test_rooms_are_in_layers() -> None:
    """Imports go down the layers of pyproject.toml only, between rooms and inside them, hidden
    imports included.
    """
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_files_have_no_circle() -> None:
    """No file imports one that imports it, directly or over others."""
    graph = grimp.build_graph("pytest_mpgrade", cache_dir=None)
    found = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    TopologicalSorter(found).prepare()


def test_every_room_has_a_layer() -> None:
    """What is new at the package's root gets its place among the layers; at most eight modules are
    loose there.
    """
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (rooms,) = (each for each in config if each["name"] == "rooms")
    named = {name.strip() for layer in rooms["layers"] for name in layer.split("|")}
    assert {room(name) for name in MODULES} - {"__init__"} == named
    assert len([name for name in MODULES if "/" not in name]) <= 8


@for_each(MODULES)
def test_each_library_has_its_place(name: str) -> None:
    """A library of others is imported only where the list says, and why."""
    foreign = (
        {one.partition(".")[0] for one in imports(MODULES[name])}
        - sys.stdlib_module_names
        - {"pytest_mpgrade"}
    )
    assert {one for one in foreign if name not in LIBRARIES.get(one, {})} == set()


@for_each([name for name in MODULES if room(name) == "judge"])
def test_judging_is_pure(name: str) -> None:
    """Checks know no process, no file, no clock and no chance."""
    foreign = {one.partition(".")[0] for one in imports(MODULES[name]) if not _is_ours(one)}
    assert foreign <= PURE
    calls = {_called(node) for node in ast.walk(tree(MODULES[name])) if isinstance(node, ast.Call)}
    assert not calls & {"open", "print", "input", "exec", "eval", "__import__"}


def test_allowances_are_used() -> None:
    """What the lists above allow is there: no library is allowed where it is not imported, nor to
    judging.
    """
    used = {
        name: {one.partition(".")[0] for one in imports(path)} for name, path in MODULES.items()
    }
    unused = [
        (name, library)
        for library, places in LIBRARIES.items()
        for name in places
        if library not in used[name]
    ]
    assert unused == []
    assert (
        set().union(*(used[name] for name in MODULES if room(name) == "judge")) - {"pytest_mpgrade"}
        == PURE
    )


@for_each([*MODULES.values(), *TESTS])
def test_no_private_module_of_pytest(path: Path) -> None:
    """Nothing is imported from _pytest."""
    assert "_pytest" not in {one.partition(".")[0] for one in imports(path)}


@pytest.mark.parametrize(
    "module", ["pytest_mpgrade", "pytest_mpgrade.inside.workloads", "pytest_mpgrade.inside.child"]
)
def test_import_is_light(module: str) -> None:
    """What every spawned worker imports loads no library of others, and not multiprocessing."""
    code = f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=PACKAGE.parent,
    )
    assert not set(done.stdout.split()) & {*LIBRARIES, "multiprocessing", "multiprocess", "_pytest"}


def test_import_of_supervisors_is_light() -> None:
    """The server of supervisors, of which a grading starts several, does not load psutil."""
    code = "import sys, pytest_mpgrade.run.supervisor.server; print('psutil' in sys.modules)"
    command = [sys.executable, "-c", code]
    assert subprocess.check_output(command, text=True, cwd=PACKAGE.parent).strip() == "False"


# --- how things look


@for_each(MODULES)
def test_size(name: str) -> None:
    """A module has at most 300 lines, and a function 40 without its docstring."""
    lines = len(MODULES[name].read_text(encoding="utf-8").splitlines())
    long = {f"{function.name}()": _length(function) for function in _functions(tree(MODULES[name]))}
    over = {one: length for one, length in long.items() if length > FUNCTION_LINES}
    assert (over, lines <= LINES) == ({}, True), f"{name} has {lines} lines"


def _functions(module: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (
        node
        for node in ast.walk(module)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    )


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function that a reader has to follow: without its docstring."""
    first = function.body[0]
    text = first if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) else None
    words = (text.end_lineno or 0) - text.lineno + 1 if text else 0
    return (function.end_lineno or function.lineno) - function.lineno + 1 - words


@for_each(MODULES)
def test_no_global(name: str) -> None:
    """State lives in objects."""
    assert [
        node.names for node in ast.walk(tree(MODULES[name])) if isinstance(node, ast.Global)
    ] == []


def test_each_class_has_a_name_of_its_own() -> None:
    """No two public classes or aliases of types have one name, wherever they are in the package."""
    places: dict[str, list[str]] = {}
    for module, path in MODULES.items():
        for name in _types(tree(path)):
            places.setdefault(name, []).append(module)
    assert {name: modules for name, modules in places.items() if len(modules) > 1} == {}


def is_number(value: ast.expr) -> bool:
    """Tell whether an expression is a number that somebody chose, or several."""
    parts = list(ast.walk(value))
    numbers = [type(each.value) in (int, float) for each in parts if isinstance(each, ast.Constant)]
    made = any(isinstance(each, (ast.Call, ast.Dict, ast.Subscript)) for each in parts)
    return bool(numbers) and all(numbers) and not made


def is_explained(lines: list[str], body: list[ast.stmt], place: int) -> bool:
    """Tell whether a docstring follows a statement, or a comment stands at it or its group."""
    node = body[place]
    after = body[place + 1] if place + 1 < len(body) else None
    if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
        return True
    first = node.lineno - 1
    while first and lines[first - 1].strip() and not lines[first - 1].startswith('"""'):
        first -= 1
    return any("#" in line for line in lines[first : node.end_lineno])


@for_each(MODULES)
def test_each_number_is_explained(name: str) -> None:
    """Each number has a docstring or a comment; those of the kernel may have one for the module."""
    module = tree(MODULES[name])
    lines = MODULES[name].read_text("utf-8").splitlines()
    if "numbers from" in (ast.get_docstring(module) or ""):
        return
    bare = [
        node.lineno
        for place, node in enumerate(module.body)
        if isinstance(node, (ast.Assign, ast.AnnAssign))
        and node.value is not None
        and is_number(node.value)
        and not is_explained(lines, module.body, place)
    ]
    assert bare == []


SAME_NAMES = {
    "main": "what a program starts, in every module that is one",
    "render": "what each export has: a result and its rubric to the text of a file",
    "entries": "what each layout has: a folder to what students handed in",
    "command": "what each kind of run has: a request to the process that is started for it",
    "report": "what each kind of run has: a tree of processes to what was seen of it",
    **dict.fromkeys(
        ("big", "held", "spin", "square", "wait"), "the task, and what makes a workload of it"
    ),
    **dict.fromkeys(("let", "meet"), "the step of a test, and the supervisor's part of it"),
}
"""Functions that several modules have under one name, each with what that name means in all of
them.
"""


def test_each_function_has_a_name_of_its_own() -> None:
    """No two public functions of modules have one name, except where it means the same, as the list
    says.
    """
    places: dict[str, set[str]] = {}
    for module, path in MODULES.items():
        for node in tree(path).body:
            if isinstance(
                node, (ast.FunctionDef, ast.AsyncFunctionDef)
            ) and not node.name.startswith("_"):
                places.setdefault(node.name, set()).add(module)
    assert {name for name, modules in places.items() if len(modules) > 1} == set(SAME_NAMES)


OTHER_NAMES = {
    (
        "tasks.py",
        "workloads as work",
    ): "the name by which course authors know them: tasks.work.square",
    ("tasks.py", "model_workloads as models"): "likewise: tasks.models.GatedPrior",
    ("course/toml_text.py", "tomli as tomllib"): "Python 3.10 has it under this name",
}
"""Imports under another name, and why."""


def test_imports_keep_their_names() -> None:
    """Nothing is imported under another name, except where the list says why; `x as x` says that x
    is handed on.
    """
    found = {
        (module, f"{alias.name} as {alias.asname}")
        for module, path in MODULES.items()
        for node in ast.walk(tree(path))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
        if alias.asname not in (None, alias.name)
    }
    assert found == set(OTHER_NAMES)


def _types(module: ast.Module) -> Iterator[str]:
    """Yield the public classes that a module defines, and its aliases of types, which are named
    like classes.
    """
    for node in module.body:
        names = [node.name] if isinstance(node, ast.ClassDef) else []
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [target.id for target in targets if isinstance(target, ast.Name)]
        yield from (name for name in names if re.fullmatch(r"[A-Z][A-Z0-9]*[a-z]\w*", name))


@for_each([*MODULES.values(), *TESTS])
def test_exceptions_have_reasons(path: Path) -> None:
    """What a checker of types or style is to pass over says why, behind a hyphen."""
    lines = path.read_text(encoding="utf-8").splitlines()
    silenced = [line for line in lines if re.search(r"#\s*(type: ignore|noqa)", line)]
    reason = r"# (noqa: [A-Z]+\d+(, [A-Z]+\d+)*|type: ignore\[[\w, -]+\]  #) - \S.*"
    assert [line for line in silenced if not re.search(reason, line)] == []


@for_each(MODULES)
def test_docstrings(name: str) -> None:
    """Modules and all that is public in them have docstrings; the methods of a Protocol may do
    without.
    """
    module = tree(MODULES[name])
    missing = [one.name for one in _public(module) if not ast.get_docstring(one)]
    assert missing == []
    assert ast.get_docstring(module) or not module.body


def _public(module: ast.Module) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in module.body:
        if not isinstance(
            node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        ) or node.name.startswith("_"):
            continue
        if any(getattr(decorator, "id", "") == "overload" for decorator in node.decorator_list):
            continue  # the function itself says it
        yield node
        if isinstance(node, ast.ClassDef) and "Protocol" not in {
            getattr(base, "id", "") for base in node.bases
        }:
            for inner in node.body:
                if isinstance(
                    inner, (ast.FunctionDef, ast.AsyncFunctionDef)
                ) and not inner.name.startswith("_"):
                    yield inner


@for_each(MODULES.values())
def test_objects_are_complete_when_they_are_made(path: Path) -> None:
    """No attribute of an object appears first outside of its `__init__`."""
    late = {}
    for kind in ast.walk(tree(path)):
        if isinstance(kind, ast.ClassDef):
            methods = [node for node in kind.body if isinstance(node, ast.FunctionDef)]
            made = {
                name
                for node in methods
                if node.name in ("__init__", "__new__")
                for name in _attributes(node)
            }
            named = [node.targets[0] for node in kind.body if isinstance(node, ast.Assign)]
            named += [node.target for node in kind.body if isinstance(node, ast.AnnAssign)]
            declared = {getattr(target, "id", "") for target in named}
            found = {name for node in methods for name in _attributes(node)} - made - declared
            late.update({kind.name: found} if found else {})
    assert late == {}


def _attributes(method: ast.FunctionDef) -> Iterator[str]:
    """Yield what a method assigns to attributes of `self`."""
    for node in ast.walk(method):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Store)
            and getattr(node.value, "id", "") == "self"
        ):
            yield node.attr


@for_each(TESTS)
def test_tests_say_what_they_test(path: Path) -> None:
    """Every test has a docstring of one sentence that names the behaviour."""
    tests = [one for one in _functions(tree(path)) if one.name.startswith("test_")]
    wrong = {
        one.name: text for one in tests if not _one_sentence(text := ast.get_docstring(one) or "")
    }
    assert wrong == {}


def _one_sentence(text: str) -> bool:
    return text.endswith(".") and "\n\n" not in text and not re.search(r"[.!?]\s+[A-Z]", text)


# --- what is public


@pytest.mark.parametrize(
    "module",
    [
        "pytest_mpgrade",
        "pytest_mpgrade.tasks",
        "pytest_mpgrade.judge.checks",
        "pytest_mpgrade.steps",
    ],
)
def test_public_names(module: str) -> None:
    """`__all__` names what there is, all that is meant for course authors, and nothing twice."""
    loaded = import_module(module)
    assert len(set(loaded.__all__)) == len(loaded.__all__)
    assert set(loaded.__all__) <= set(dir(loaded))
    assert all(getattr(loaded, name) is not None for name in loaded.__all__)
    assert _defined(Path(str(loaded.__file__)), module) <= set(loaded.__all__)


def _defined(path: Path, module: str) -> set[str]:
    """Return the public functions and classes that a module defines; for checks, those that it
    collects.
    """
    found = {
        node.name for node in tree(path).body if isinstance(node, (ast.ClassDef, ast.FunctionDef))
    }
    if module.endswith(".checks"):
        found |= {name.rpartition(".")[2] for name in imports(path) if _is_ours(name)}
    return {name for name in found if not name.startswith("_")}


def test_dir_of_the_package() -> None:
    """`dir()` of the package shows what is public, and nothing else."""
    assert dir(pytest_mpgrade) == sorted(pytest_mpgrade.__all__)


def test_package_is_typed() -> None:
    """Type checkers find the types of the package (PEP 561)."""
    assert (PACKAGE / "py.typed").is_file()
