"""What is in the wheel, and what is not."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from pytest_mpgrade import author
from pytest_mpgrade.cli import schemas
from support.running import ROOT


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of the files in a wheel that is built here."""
    folder = tmp_path_factory.mktemp("wheel")
    (built,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    with zipfile.ZipFile(built) as wheel:
        return set(wheel.namelist())


def test_wheel_holds_the_assignments(names: set[str]) -> None:
    """Students get the tests, the handout and the starter of every assignment."""
    for name in ("mp_apply", "bg_task"):
        files = {
            "assignment.toml",
            f"test_{name}.py",
            "README.md",
            "starter/cv_funcs.py",
            "starter/pytest.ini",
        }
        files |= {"starter/.github/workflows/grade.yml"}
        assert {f"pytest_mpgrade/assignments/{name}/{file}" for file in files} <= names
    assert {"pytest_mpgrade/py.typed", "pytest_mpgrade/grade/grading.ini"} <= names


def test_wheel_holds_no_solution(names: set[str]) -> None:
    """Neither the reference nor the wrong solutions are given away; the templates of `mpgrade new`
    are of no assignment.
    """
    apart = {name for name in names if "/author/templates/" not in name}
    assert not [name for name in apart if "reference/" in name or "/wrong/" in name]


def test_wheel_holds_the_templates(names: set[str]) -> None:
    """Whoever has installed it can begin an assignment, with its workflow in a folder whose name
    has a dot.
    """
    home = Path(author.__file__).with_name("templates")
    files = [path.relative_to(home).as_posix() for path in home.rglob("*.tmpl")]
    assert "starter/.github/workflows/grade.yml.tmpl" in files
    assert {f"pytest_mpgrade/author/templates/{file}" for file in files} <= names


def test_wheel_holds_the_schemas(names: set[str]) -> None:
    """They lie where the first line of a shipped assignment.toml leads: ../../docs/schemas."""
    files = {path.name for path in (ROOT / "docs" / "schemas").glob("*.json")}
    assert files == {"assignment.json", "result.json"}
    assert {f"pytest_mpgrade/docs/schemas/{name}" for name in files} <= names


@pytest.mark.parametrize("kind", schemas.KINDS)
def test_published_schema_is_what_is_printed(kind: str) -> None:
    """The file in docs/schemas, which is in the wheel too, is what the command prints (`make
    schemas` writes it).
    """
    published = ROOT / "docs" / "schemas" / f"{kind}.json"
    assert published.read_text("utf-8") == schemas.text(kind) + "\n"
