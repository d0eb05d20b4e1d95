"""What only a newer Python takes: said with the versions, and only where that is true."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import mypy
import pytest

from pytest_mpgrade.errors import UngradableError
from pytest_mpgrade.submission import newer
from pytest_mpgrade.submission.newer_syntax import newer_syntax
from pytest_mpgrade.submission.syntax import parse_module
from support.package_users import author, failed, grade, grade_notebook, solution

OURS = sys.version_info[:2]
VERSIONS = [(3, minor) for minor in range(10, 16)]
TYPESHED = Path(mypy.__file__).parent / "typeshed" / "stdlib"

SOURCES = {
    "type": "type X = int\n",
    "type with parameters": "def f():\n    type X[T] = list[T]\n    return X\n",
    "generic function": "def f[T: (int, str), *Ts, **P](x: T) -> T:\n    return x\n",
    "generic class": "class A[\n    T,\n](list): pass\n",
    "default": "def f[T = int](x): pass\n",
    "except": "try:\n    pass\nexcept ValueError, TypeError:\n    pass\n",
    "except with as": "try:\n    pass\nexcept ValueError, TypeError as e:\n    pass\n",
    "except*": "try:\n    pass\nexcept* ValueError:\n    pass\n",
    "except* with several": "try:\n    pass\nexcept* A, B:\n    pass\n",
    "its own quotes": 'x = f"{d["a"]}"\n',
    "backslash": "x = f\"{'\\n'.join(a)}\"\n",
    "comment": 'x = f"""{\n a # }"""\n}"""\n',
    "nested": 'x = f"{f"{f"{1}"}"}" "y"\n',
    "in the format": 'x = f"{a:{b["w"]}}"\n',
    "conversion": 'x = f"{a!r:>{w["x"]}} {{}} {d["a"] != 3}"\n',
    "shown": 'x = f"{x = }" f"{d["a"] = }"\n',
    "raw": 'x = rf"\\d{d["a"]}\\{d[\'b\']}"\n',
    "line in the braces": 'x = f"{\n1}"\n',
    "walrus": 'x = f"{(y:=d["a"])}"\n',
    "not closed": 'x = f"{d["a"}"\n',
    "nothing in the braces": 'x = f"{}" f"{d["a"]}"\n',
    "unknown character": 'x = f"{d["a"]} \\N{NO SUCH THING}"\n',
    "a statement in the braces": 'x = f"{import a}" f"{d["a"]}"\n',
    "template": "x = t'{a}'\n",
    "template with quotes": 'x = t"{d["a"]}"\n',
    "template in an f-string": "x = f'{t'a'}'\n",
    "template beside a string": "x = t'a' f'b'\n",
    "star in an index": "x = a[*b]\n",
    "star in an annotation": "def f(*args: *Ts): pass\n",
    "unpacking": "x = [*y for y in z]\n",
    "unpacking of mappings": "x = {**y for y in z}\n",
    "lazy": "lazy import json\n",
    "lazy in a function": "def f():\n    lazy import json\n",
    "print": "print 'x'\n",
    "typo": "def f(:\n    pass\n",
    "Python 2": "try:\n    pass\nexcept A, e:\n    pass\nprint 'x'\n",
    "a name type": "type = 3\ntype (x) = 4\n",
    "no end": "x = (1\n",
    "indent": "def f():\nreturn 1\n",
    "new and wrong": "type X = int\nprint 'a'\n",
    "wrong parameters": "def f[1](x): pass\n",
    "empty parameters": "def f[](x): pass\n",
    "odd string": "x = 'abc\ny = f'{d['a']}'\n",
    "match": "match x:\n    case [*a]: pass\n",
}


@pytest.fixture(scope="module")
def accepted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, int] | None]:
    """Return by which Python each source is taken, first of all, as Ruff says; None: by none."""
    folder = tmp_path_factory.mktemp("sources")
    files = {str(folder / f"{number}.py"): name for number, name in enumerate(SOURCES)}
    for file, name in files.items():
        Path(file).write_text(SOURCES[name])
    found: dict[str, tuple[int, int] | None] = dict.fromkeys(SOURCES)
    for version in reversed(VERSIONS):
        target = f"py{version[0]}{version[1]}"
        words = [
            "check",
            "--isolated",
            "--no-cache",
            "--select",
            "F632",
            "--target-version",
            target,
        ]
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *words, "--output-format", "json", str(folder)],
            capture_output=True,
            text=True,
            check=False,
        )
        refused = {files[each["filename"]] for each in json.loads(done.stdout)}
        found |= dict.fromkeys(set(SOURCES) - refused, version)
    return found


@pytest.mark.parametrize("name", SOURCES)
def test_syntax_is_that_of_a_version(
    accepted: dict[str, tuple[int, int] | None], name: str
) -> None:
    """A newer Python is named exactly where there is one that takes the source, and it is the first
    that does.
    """
    said, first = newer_syntax(SOURCES[name]), accepted[name]
    try:
        ast.parse(SOURCES[name])
        first = None  # nothing to be said
    except SyntaxError:
        pass
    assert bool(said) == (first is not None and first > OURS), (said, first)
    if said and first:
        assert said.startswith(f"Python {newer.version_text(first)} or newer would take it (")
        assert said.endswith(f"; the grader runs Python {newer.version_text(OURS)}")


def test_what_parses_needs_nothing_newer() -> None:
    """Of all of our own sources, which this Python takes, nothing is said; nor of them with an
    error at the end.
    """
    for path in sorted(Path(newer.__file__).parent.parent.rglob("*.py")):
        text = path.read_text("utf-8")
        assert newer_syntax(text) == ""
        assert newer_syntax(text + "\nx = = 3\n") == ""


@pytest.mark.skipif(OURS >= (3, 12), reason="this Python takes it")
def test_error_says_which_python_runs() -> None:
    """A syntax error has the line, the code, the Python that would take it and the one that
    runs.
    """
    with pytest.raises(UngradableError) as caught:
        parse_module("cv_funcs.py", b"x = 1\ntype X = int\n")
    version = newer.version_text(OURS)
    assert (
        str(caught.value)
        == "cv_funcs.py:2: SyntaxError: invalid syntax; Python 3.12 or newer would take it (the"
        f" type statement); the grader runs Python {version}; in: type X = int"
    )
    assert caught.value.source == {"file": "cv_funcs.py", "line": 2, "code": "type X = int"}
    assert caught.value.hint == f"write it so that Python {version} takes it too"


# --- tables


def versions() -> dict[str, tuple[tuple[int, int], tuple[int, int] | None]]:
    """Return since and until when there are modules, as typeshed says."""
    lines = re.findall(
        r"^([\w.]+): 3\.(\d+)-(?:3\.(\d+))?", (TYPESHED / "VERSIONS").read_text(), re.MULTILINE
    )
    return {
        name: ((3, int(first)), (3, int(last)) if last else None) for name, first, last in lines
    }


def test_modules_came_and_went_as_typeshed_says() -> None:
    """The tables have all top-level modules that came or went from 3.11 up to 3.14, and each with
    its version.
    """
    found = versions()
    public = {name: span for name, span in found.items() if not name.startswith("_")}
    came = {name: first for name, (first, _) in public.items() if first > (3, 10)}
    went = {
        name: (last[0], last[1] + 1)
        for name, (_, last) in public.items()
        if last and last > (3, 10)
    }
    for theirs, ours in ((came, newer.MODULES), (went, newer.REMOVED)):
        assert {
            name: version for name, version in theirs.items() if name in ours
        }.items() <= ours.items()
        assert {
            name for name, version in theirs.items() if version <= (3, 14) and "." not in name
        } <= set(ours)


def names_of(module: str) -> dict[str, tuple[int, int]]:
    """Return the names that a module's stub defines, with the version that brings each: (3, 0) for
    always.
    """
    stem = TYPESHED / Path(*module.split("."))
    file = next(each for each in (stem.with_suffix(".pyi"), stem / "__init__.pyi") if each.exists())
    found: dict[str, tuple[int, int]] = {}
    for name, version in _defined(ast.parse(file.read_text("utf-8")).body, (3, 0), module):
        found[name] = min(version, found.get(name, version))
    return found


def _defined(
    body: list[ast.stmt], since: tuple[int, int], module: str
) -> Iterator[tuple[str, tuple[int, int]]]:
    for node in body:
        if isinstance(node, ast.If):
            match = re.fullmatch(r"sys\.version_info >= \(3, (\d+)\)", ast.unparse(node.test))
            yield from _defined(
                node.body, max(since, (3, int(match[1]))) if match else since, module
            )
            yield from _defined(node.orelse, since, module)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name, since
        elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from ((ast.unparse(target), since) for target in targets)
            if (
                any(ast.unparse(target) == "__all__" for target in targets)
                and node.value is not None
            ):
                yield from (
                    (str(each.value), since)
                    for each in ast.walk(node.value)
                    if isinstance(each, ast.Constant)
                )
        elif isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            whole = f"{module}.{node.module}" if node.level else str(node.module)
            yield from ((name, max(since, version)) for name, version in names_of(whole).items())
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from ((each.asname or each.name, since) for each in node.names)


@pytest.mark.parametrize("module", newer.NAMES)
def test_names_came_as_typeshed_says(module: str) -> None:
    """Each name in the table came with the version that it names."""
    found = names_of(module)
    newest = max(first for first, _ in versions().values())  # that this typeshed knows of
    known = {name: version for name, version in newer.NAMES[module].items() if version <= newest}
    assert {name: found.get(name) for name in known} == known


def test_tables_agree_with_the_python_that_runs() -> None:
    """What the tables say is here can be imported, and what is not here cannot."""
    for module, names in newer.NAMES.items():
        for name, version in names.items():
            code = f"from {module} import {name}"
            done = subprocess.run(
                [sys.executable, "-c", code], capture_output=True, text=True, check=False
            )
            lacks = re.search(r"cannot import name|No module named", done.stderr)
            assert bool(lacks) == (version > OURS), (code, done.stderr)


@pytest.mark.parametrize(
    ("module", "names", "running", "said"),
    [
        ("tomllib", (), (3, 10), "tomllib came with Python 3.11, and the grader runs Python 3.10"),
        ("tomllib", (), (3, 11), ""),
        ("compression.zstd", (), (3, 13), "compression came with Python 3.14"),
        ("string", ("templatelib",), (3, 13), "string.templatelib came with Python 3.14"),
        ("string", ("Template",), (3, 13), ""),
        ("itertools", ("chain", "batched"), (3, 11), "itertools.batched came with Python 3.12"),
        ("itertools", ("batched",), (3, 12), ""),
        (
            "imp",
            (),
            (3, 12),
            "imp left the standard library with Python 3.12, and the grader runs Python 3.12",
        ),
        (
            "distutils.core",
            ("setup",),
            (3, 13),
            "distutils left the standard library with Python 3.12",
        ),
        ("imp", (), (3, 11), ""),
        ("pandas", ("batched",), (3, 10), ""),
    ],
)
def test_what_is_said_of_modules(
    module: str, names: tuple[str, ...], running: tuple[int, int], said: str
) -> None:
    """A module or name that another Python has is told with both versions; of all else nothing is
    said.
    """
    found = newer.of_module(module, names, running)
    assert found.startswith(said)
    assert bool(found) == bool(said)


# --- whole gradings


@pytest.mark.skipif(OURS >= (3, 12), reason="this Python has them")
@pytest.mark.parametrize(
    ("where", "beside", "said", "source"),
    [
        (
            {"top": "from itertools import batched"},
            {},
            "cv_funcs.py:3 imports itertools.batched: itertools.batched came with Python 3.12",
            {"file": "cv_funcs.py", "line": 3, "code": "from itertools import batched"},
        ),
        (
            {"caller": "import itertools; itertools.batched(tasks, 2)"},
            {},
            "cv_funcs.py:12: itertools.batched came with Python 3.12",
            None,
        ),
        (
            {"top": "import helpers"},
            {"helpers": "x = 1\ntype X = int\n"},
            "helpers.py:2: Python 3.12 or newer would take it (the type statement)",
            None,
        ),
    ],
)
def test_newer_library_or_syntax_is_told(
    tmp_path: Path,
    where: dict[str, str],
    beside: dict[str, str],
    said: str,
    source: dict[str, object] | None,
) -> None:
    """What fails since the grader's Python is older says so, with both versions, as a matter of the
    import.
    """
    course = author(tmp_path)
    (tmp_path / "ada").mkdir()
    for name, text in {"cv_funcs": solution(**where), **beside}.items():
        (tmp_path / "ada" / f"{name}.py").write_text(text)
    found = grade(course, tmp_path / "ada")
    checks = failed(found)
    assert {check["concern"] for check in checks} == {"import"}
    assert all(
        said in check["message"] and "the grader runs Python 3.1" in check["message"]
        for check in checks
    )
    if source:
        assert checks[0]["evidence"]["source"] == source


@pytest.mark.skipif(OURS >= (3, 12), reason="this Python takes it")
def test_ungradable_for_a_newer_syntax_has_a_check(tmp_path: Path) -> None:
    """A module that cannot be read as it is written for a newer Python has one failed check, with
    its line.
    """
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "cv_funcs.py").write_text(solution(caller='print(f"{"a"}")'))
    found = grade(author(tmp_path), tmp_path / "ada")
    (check,) = found["checks"]
    assert (found["status"], found["code"], found["score"], found["max_score"]) == (
        "ungradable",
        3,
        0,
        3,
    )
    assert (check["outcome"], check["concern"], check["message"]) == (
        "failed",
        "import",
        found["reason"],
    )
    assert "Python 3.12 or newer would take it (an f-string" in check["message"]
    assert check["evidence"]["source"] == {
        "file": "cv_funcs.py",
        "line": 12,
        "code": 'print(f"{"a"}")',
    }


@pytest.mark.skipif(OURS >= (3, 12), reason="this Python takes it")
def test_cell_for_a_newer_python(tmp_path: Path) -> None:
    """A cell of a notebook says it too."""
    found = grade_notebook(tmp_path, ["x = 1", "type X = int"])
    (check,) = failed(found)
    assert "Python 3.12 or newer would take it (the type statement)" in check["message"]
    assert check["concern"] == "import"
