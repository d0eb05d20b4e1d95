"""Packages that an assignment allows: missing ones are the grader's fault, all others the
submission's.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_mpgrade.course import assignment, packages
from pytest_mpgrade.errors import AssignmentError, LackingError
from pytest_mpgrade.records import Ending, Run
from pytest_mpgrade.submission import lacking
from pytest_mpgrade.submission.discover import discover
from pytest_mpgrade.submission.imports import module_imports
from support.package_users import TOML, author, failed, grade, grade_notebook, solution
from support.running import run_command, variables

ABSENT = "mpgrade-absent"
"""A package that is not installed anywhere; it would be imported as `mpgrade_absent`."""


@pytest.fixture
def graded(tmp_path: Path) -> Callable[..., Any]:
    """Return a function that grades a submission's text, with other files beside it, for the small
    assignment.
    """
    course = author(tmp_path)

    def grade_text(text: str, **beside: str) -> Any:
        folder = tmp_path / "ada"
        folder.mkdir()
        for name, content in {"cv_funcs": text, **beside}.items():
            (folder / f"{name}.py").write_text(content)
        return grade(course, folder)

    return grade_text


# --- what the grader lacks


@pytest.mark.parametrize(
    "where",
    [
        {"top": "import mpgrade_absent"},
        {"top": "from mpgrade_absent.deep import thing"},
        {"worker": "import mpgrade_absent.deep"},
        {"caller": "import importlib; importlib.import_module('mpgrade_absent')"},
        {
            "top": (
                "try:\n    import mpgrade_absent\nexcept ImportError:\n    raise"
                " SystemExit('install it')"
            )
        },
    ],
    ids=lambda where: " ".join(where),
)
def test_allowed_and_missing_gives_no_grade(
    graded: Callable[..., Any], where: dict[str, str]
) -> None:
    """It is the grader's error wherever the import stands, with the command that helps and the
    student's line.
    """
    found = graded(solution(**where))
    assert (found["status"], found["code"], found["max_score"]) == ("error", 3, 3.0)
    command = f"{sys.executable} -m pip install mpgrade-absent"
    assert command in found["reason"]
    assert command in " ".join(found["printed"].split())
    (check,) = found["checks"]
    assert (check["outcome"], check["concern"], check["message"]) == (
        "error",
        "import",
        found["reason"],
    )
    assert "mpgrade_absent" in check["evidence"]["source"]["code"]


def test_missing_in_a_module_of_their_own(graded: Callable[..., Any]) -> None:
    """What a file beside the module imports counts, and is told with that file; so does one in
    another folder.
    """
    found = graded(solution(top="import helpers"), helpers="\nimport mpgrade_absent\n")
    assert found["status"] == "error"
    assert found["checks"][0]["evidence"]["source"]["file"] == "helpers.py"
    assert "(imported at helpers.py:2)" in found["reason"]


@pytest.mark.parametrize(
    "where",
    [
        {"top": "try:\n    import mpgrade_absent\nexcept ImportError:\n    mpgrade_absent = None"},
        {
            "top": (
                "import contextlib\nwith contextlib.suppress(ImportError):\n    import"
                " mpgrade_absent"
            )
        },
        {"top": "if __name__ == '__main__':\n    import mpgrade_absent"},
        {"top": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import mpgrade_absent"},
    ],
)
def test_what_can_be_done_without_is_not_needed(
    graded: Callable[..., Any], where: dict[str, str]
) -> None:
    """A solution that goes on without a package, or needs it as a script only, has all points
    without it.
    """
    found = graded(solution(**where))
    assert (found["status"], found["score"]) == ("graded", 3.0), found["printed"]


def test_found_with_pytest_itself_too(tmp_path: Path) -> None:
    """Who types `pytest` is told the same in one line."""
    course = author(tmp_path)
    (tmp_path / "cv_funcs.py").write_text(solution(top="import mpgrade_absent"))
    done = run_command([sys.executable, "-m", "pytest", "--mpgrade", str(course)], tmp_path)
    assert (done.returncode, "pip install mpgrade-absent" in done.stderr) == (4, True)


# --- what the submission is at fault for


@pytest.mark.parametrize(
    ("where", "message", "hint"),
    [
        (
            {"top": "import nunpy"},
            "cv_funcs.py:3 imports nunpy: there is no module of that name",
            "did you mean numpy?",
        ),
        (
            {"top": "import my_helpers"},
            "(allowed packages: numpy, scikit-learn, mpgrade-absent)",
            "hand in my_helpers.py",
        ),
        (
            {"caller": "import cupy_absent"},
            "cv_funcs.py:12 imports cupy_absent: ",
            "or do without it",
        ),
        (
            {"worker": "import cupy_absent.sub"},
            "cv_funcs.py:6 imports cupy_absent: ",
            "or do without it",
        ),
        (
            {"top": "import mutliprocessing"},
            "imports mutliprocessing",
            "did you mean multiprocessing?",
        ),
        ({"top": "import sklearn.ensembl"}, "No module named 'sklearn.ensembl'", ""),
        (
            {"top": "raise ModuleNotFoundError('No module named \\'numpy\\'', name='numpy')"},
            "No module named 'numpy'",
            "",
        ),
        (
            {"caller": "raise ModuleNotFoundError('No module named \\'sklearn\\'')"},
            "No module named 'sklearn'",
            "",
        ),
        (
            {
                "top": (
                    "raise ModuleNotFoundError('No module named \\'mpgrade_absent\\'',"
                    " name='mpgrade_absent')"
                )
            },
            "No module named 'mpgrade_absent'",
            "",
        ),
    ],
)
def test_not_allowed_or_not_true(
    graded: Callable[..., Any], where: dict[str, str], message: str, hint: str
) -> None:
    """What is not allowed, not handed in, or only said to be missing, is the submission's fault,
    under each method.
    """
    found = graded(solution(**where))
    assert found["status"] in ("graded", "ungradable"), found["reason"]
    said = failed(found)
    assert {check["start_method"] for check in said} == {"fork", "spawn"}
    assert not [check for check in found["checks"] if check["outcome"] == "error"]
    assert all(message in check["message"] and hint in check["hint"] for check in said), said
    if hint:
        assert {check["concern"] for check in said} == {"import"}


def test_own_module_that_raises_is_their_fault(graded: Callable[..., Any]) -> None:
    """A file of the student's own with a package's name, or one that says something is missing,
    deceives nobody.
    """
    found = graded(
        solution(top="import helpers\nimport mpgrade_absent"),
        helpers="",
        mpgrade_absent=(
            "raise ModuleNotFoundError(\"No module named 'mpgrade_absent'\","
            " name='mpgrade_absent')\n"
        ),
    )
    assert (found["status"], {check["concern"] for check in failed(found)}) == (
        "ungradable",
        {"import"},
    )


def test_printed_words_do_not_accuse_the_grader(graded: Callable[..., Any]) -> None:
    """A wrong solution that can do without an allowed package and prints that it is missing fails
    all the same.
    """
    top = (
        "import sys\ntry:\n    import mpgrade_absent\nexcept ImportError as error:\n   "
        " print(error, file=sys.stderr)"
    )
    found = graded(solution(top=top, caller="raise ValueError('wrong')"))
    assert (found["status"], found["score"]) == ("graded", 1.0)


def test_missing_in_another_folder_of_theirs(tmp_path: Path) -> None:
    """A module in a folder that is put on sys.path is one of the student's own, and what it imports
    counts.
    """
    (tmp_path / "ada" / "src").mkdir(parents=True)
    (tmp_path / "ada" / "cv_funcs.py").write_text(
        solution(top="import sys; sys.path.append('src'); import helpers")
    )
    (tmp_path / "ada" / "src" / "helpers.py").write_text("import mpgrade_absent\n")
    small = assignment.load_assignment(author(tmp_path))
    with pytest.raises(LackingError, match=r"imported at src/helpers\.py:1"):
        lacking.require(discover(tmp_path / "ada", small), small)


def test_many_names_cost_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever imports and names a thousand modules that are missing does not make us start a
    thousand interpreters.
    """
    names = [f"absent_{number}" for number in range(1000)]
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "cv_funcs.py").write_text(
        "def mp_apply(tasks):\n" + "".join(f"    import {n}\n" for n in names)
    )
    small = assignment.load_assignment(author(tmp_path))
    run = Run(
        key="x",
        call="mp_apply()",
        function="mp_apply",
        start_method="fork",
        ending=Ending.HUNG,
        stderr="".join(f"No module named '{name}'\n" for name in names),
    )
    asked: list[object] = []
    ask = packages.ask_interpreter

    def counted(*given: Any, **more: Any) -> packages.Installed:
        asked.append(more)
        return ask(*given, **more)

    monkeypatch.setattr(packages, "ask_interpreter", counted)
    found = lacking.lack(run, discover(tmp_path / "ada", small), small)
    assert found is not None
    assert "cv_funcs.py:2 imports absent_0: there is no module of that name" in found.message
    assert len(asked) < 20


# --- an interpreter that has a broken package


@pytest.fixture(scope="module")
def broken_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return an interpreter with all that ours has, and an allowed package whose own dependency is
    missing.
    """
    folder = tmp_path_factory.mktemp("broken") / "venv"
    venv.create(folder, symlinks=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    find = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(
        subprocess.run(
            [python, "-c", find], check=True, capture_output=True, text=True
        ).stdout.strip()
    )
    ours = subprocess.run(
        [sys.executable, "-c", find], check=True, capture_output=True, text=True
    ).stdout
    (site / "ours.pth").write_text(f"{ours}{Path(packages.__file__).parent.parent.parent}\n")
    (site / "mpgrade_absent.py").write_text("import its_own_dependency\n")
    return str(python)


@pytest.mark.parametrize("where", ["top", "caller", "worker"])
def test_broken_package_is_the_graders_fault(
    tmp_path: Path, broken_python: str, where: str
) -> None:
    """An allowed package that cannot be imported without the submission either gives no grade, and
    says why.
    """
    course = author(tmp_path)
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "cv_funcs.py").write_text(solution(**{where: "import mpgrade_absent"}))
    found = grade(course, tmp_path / "ada", broken_python)
    assert (found["status"], found["code"]) == ("error", 3), found
    assert "No module named 'its_own_dependency'" in found["reason"]
    assert "mpgrade-absent" in found["reason"]
    assert not failed(found)


# --- notebooks


@pytest.mark.parametrize(
    ("cells", "beside"),
    [
        (["x = 1", "def f():\n    import mpgrade_absent as pd\nf()"], {}),
        (["import helpers"], {"helpers": "import mpgrade_absent\n"}),
    ],
)
def test_notebook_with_a_missing_package(
    tmp_path: Path, cells: list[str], beside: dict[str, str]
) -> None:
    """A notebook that imports what is allowed and missing, itself or by a module beside it, gets no
    grade.
    """
    found = grade_notebook(tmp_path, cells, **beside)
    assert (found["status"], found["code"]) == ("error", 3)
    assert f"{sys.executable} -m pip install mpgrade-absent" in found["reason"]


def test_notebook_with_a_refused_package(tmp_path: Path) -> None:
    """A cell that imports what is not allowed fails, as a matter of the import, with what is
    allowed.
    """
    found = grade_notebook(tmp_path, ["x = 1", "y = 2\nimport nunpy as np"])
    (check,) = failed(found)
    assert (found["status"], check["concern"], check["hint"]) == (
        "graded",
        "import",
        "did you mean numpy?",
    )
    assert "code cell 2, line 2 imports nunpy" in check["message"]
    assert "(allowed packages: numpy, mpgrade-absent)" in check["message"]


def test_kernel_of_another_interpreter_is_asked(tmp_path: Path, broken_python: str) -> None:
    """What counts is what the kernel's own interpreter has: there the package is, but it is
    broken.
    """
    found = grade_notebook(tmp_path, ["import mpgrade_absent"], broken_python)
    assert found["status"] == "error"
    assert "No module named 'its_own_dependency'" in found["reason"]
    assert f"{broken_python} -m pip install" in found["reason"]


# --- names, and what is written of them


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        (
            '["numpy", "pandas>=2"]',
            r":11: environment\.packages\[1\]: expected the name that pip installs",
        ),
        ('["numpy",\n"os"]', r":12: environment\.packages\[1\]: 'os' is part of Python itself"),
        (
            '["sklearn", "scikit_learn"]',
            r":11: environment\.packages\[1\]: 'scikit-learn' is there twice",
        ),
        ('"numpy"', r":11: environment\.packages: expected a list, got text"),
        ('["numpy", 3]', r":11: environment\.packages\[1\]: expected text, got a whole number"),
        (
            "[]\npackage = 1",
            r":12: environment\.package: there is no such key; did you mean 'packages'\?",
        ),
    ],
)
def test_mistakes_of_authors(tmp_path: Path, listed: str, said: str) -> None:
    """Each mistake in the table is one line with its place."""
    course = author(tmp_path, TOML.replace('["numpy", "scikit-learn", "mpgrade-absent"]', listed))
    with pytest.raises(AssignmentError, match=said):
        assignment.load_assignment(course)


@pytest.mark.parametrize(
    ("written", "imported", "command"),
    [
        ("scikit-learn", "sklearn", "scikit-learn"),
        ("sklearn", "sklearn", "scikit-learn"),
        ("Pillow", "PIL", "Pillow"),
        ("opencv-python", "cv2", "opencv-python"),
        ("PyYAML", "yaml", "PyYAML"),
        ("some-thing", "some_thing", "some-thing"),
        ("Mixed", "Mixed", "Mixed"),
    ],
)
def test_names_of_packages(written: str, imported: str, command: str) -> None:
    """An author may write a package as pip or an import names it; pip is always asked for its own
    name.
    """
    assert packages.providing(imported, ["numpy", written]) == written
    assert packages.install_command("/python", [written]) == f"/python -m pip install {command}"


def test_installed_names_agree_with_the_table() -> None:
    """What is installed here is imported as the table says, where the table has it."""
    found = packages.ask_interpreter("", owners=True).distributions
    for module, owners in found.items():
        for owner in owners:
            known = packages._IMPORTED_AS.get(packages.normal(owner))
            assert known is None or module in known or module.startswith("_"), (owner, module)


def test_shipped_assignments_allow_what_is_installed() -> None:
    """All that our assignments allow is part of the extra `course`, and is there."""
    for each in assignment.shipped():
        listed = each.environment.packages
        assert "numpy" in listed
        found = packages.ask_interpreter("", packages=listed)
        assert all(found.versions.values())


def test_require_asks_nobody_without_need(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A submission that imports nothing but the standard library and its own files starts no
    interpreter.
    """
    monkeypatch.setattr(packages, "ask_interpreter", lambda *_, **__: pytest.fail("it was asked"))
    small = assignment.load_assignment(author(tmp_path))
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "cv_funcs.py").write_text(solution(top="import helpers, json"))
    (tmp_path / "ada" / "helpers.py").write_text("import cv_funcs\n")
    lacking.require(discover(tmp_path / "ada", small), small)


def test_file_by_itself_does_not_use_what_lies_beside(tmp_path: Path) -> None:
    """Of a module that is handed in by itself, a file with an allowed package's name beside it is
    somebody else's.
    """
    small = assignment.load_assignment(author(tmp_path))
    (tmp_path / "cv_funcs.py").write_text(solution(top="import mpgrade_absent"))
    (tmp_path / "mpgrade_absent.py").write_text("")
    with pytest.raises(LackingError, match="mpgrade-absent"):
        lacking.require(discover(tmp_path / "cv_funcs.py", small), small)


def test_doctor_and_list_know_the_packages(tmp_path: Path) -> None:
    """The doctor of an assignment names what it lacks with the command; `list --packages` is what
    pip reads.
    """
    course = author(tmp_path)
    command = [sys.executable, "-m", "pytest_mpgrade"]
    done = run_command([*command, "doctor", str(course)], tmp_path)
    said = " ".join(done.stdout.split())
    assert (
        "missing packages of small: submissions that import mpgrade-absent get no grade; " in said
    )
    assert f"{sys.executable} -m pip install mpgrade-absent" in said.replace("\n", "")
    done = run_command([*command, "list", "--packages", str(course)], tmp_path)
    assert done.stdout.split() == ["numpy", "scikit-learn", "mpgrade-absent"]


def test_variables_of_the_grader_do_not_count(tmp_path: Path) -> None:
    """A package that only PYTHONPATH gives to the grader is not there for student code, and counts
    as missing.
    """
    (tmp_path / "mpgrade_absent.py").write_text("")
    ask = "from pytest_mpgrade.course import packages; "
    ask += "print(packages.ask_interpreter('', modules=['mpgrade_absent', 'numpy']).modules)"
    path = os.pathsep.join((str(tmp_path), variables()["PYTHONPATH"]))
    done = subprocess.run(
        [sys.executable, "-c", ask],
        env=variables() | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "frozenset({'numpy'})\n"


def test_submission_does_not_choose_what_we_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outside of its isolation nothing is imported but allowed packages, and nothing of them that
    is private.
    """
    lines = [
        "import numpy.f2py.__main__",
        "import idlelib.idle",
        "import pip",
        "import numpy.linalg",
    ]
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "cv_funcs.py").write_text(
        "def mp_apply(tasks):\n" + "".join(f"    {line}\n" for line in lines)
    )
    small = assignment.load_assignment(author(tmp_path))
    asked: list[str] = []
    ask = packages.ask_interpreter

    def noted(python: str, **more: Any) -> packages.Installed:
        asked.extend(name for name, _ in more.get("imports", ()))
        return ask(python, **more)

    monkeypatch.setattr(packages, "ask_interpreter", noted)
    said = "".join(f"No module named '{line.removeprefix('import ')}'\n" for line in lines)
    run = Run(
        key="x", call="f()", function="f", start_method="fork", ending=Ending.HUNG, stderr=said
    )
    assert lacking.lack(run, discover(tmp_path / "ada", small), small) is None
    assert set(asked) == {"numpy", "numpy.linalg"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import a.b, c as d", {"a.b": False, "c": False}),
        ("from . import a\nfrom .b import c\nfrom d.e import f", {"d.e": False}),
        ("get_ipython().run_line_magic('matplotlib', 'inline')", {"matplotlib": False}),
        ("get_ipython().run_line_magic('pip', 'install x')", {}),
        (
            "__import__('a')\nimportlib.import_module('b.c')\nimportlib.import_module(name)",
            {"a": False, "b.c": False},
        ),
        ("try:\n    import a\nexcept ModuleNotFoundError:\n    import b", {"a": True, "b": False}),
        (
            "try:\n    import a\nexcept (ImportError, OSError):\n    pass\nelse:\n    import b",
            {"a": True, "b": False},
        ),
        ("try:\n    import a\nexcept ValueError:\n    pass", {"a": False}),
        ("try:\n    import a\nexcept ImportError:\n    sys.exit('no a')", {"a": False}),
        ("try:\n    import a\nfinally:\n    pass", {"a": False}),
        ("if __name__ == '__main__':\n    import a\nelse:\n    import b", {"a": True, "b": False}),
        ("def f():\n    class A:\n        import a", {"a": False}),
    ],
)
def test_what_is_imported(text: str, found: dict[str, bool]) -> None:
    """Imports are found wherever they stand, with whether a program can do without."""
    assert {each.module: each.optional for each in module_imports(ast.parse(text))} == found
