"""JSON Schemas of result.json and assignment.toml: they take what we write, and refuse what we
would refuse.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pytest_mpgrade import cli
from pytest_mpgrade.cli import schemas
from pytest_mpgrade.course import assignment as assignments
from pytest_mpgrade.course.document import FILE
from pytest_mpgrade.grade import outline
from pytest_mpgrade.report import result_json
from support.running import ROOT
from support.valid_results import faults, strict_validator

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SHIPPED = [each.name for each in assignments.shipped()]


def printed(kind: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Return what the command prints, which has to be a schema itself."""
    assert cli.main(["schema", kind]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(found)
    return found


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_assignments_are_valid(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every assignment that is shipped fits the schema, and one with a misspelt key does not."""
    text = Path(assignments.find_assignment(name).folder, FILE).read_text("utf-8")
    document = tomllib.loads(text)
    validator = jsonschema.Draft202012Validator(printed("assignment", capsys))
    validator.validate(document)
    document["criteria"][0]["weigth"] = 2
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(document)


def test_result_files_are_valid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a grading writes fits the schema, as it is and with what a person has changed."""
    handed_in = tmp_path / "ada"
    handed_in.mkdir()
    (handed_in / "cv_funcs.py").write_text(
        "def calculate(func, args):\n    return func(\n", "utf-8"
    )
    assert (
        cli.main(
            ["grade", str(handed_in), "--assignment", "mp_apply", "--out", str(tmp_path / "out")]
        )
        == 3
    )
    capsys.readouterr()
    validator = jsonschema.Draft202012Validator(printed("result", capsys))
    written = json.loads((tmp_path / "out" / "ada" / "result.json").read_text("utf-8"))
    validator.validate(written)
    validator.validate(
        json.loads(result_json.dumps(outline.collect(assignments.find_assignment("notebook"))))
    )
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(written | {"schema": "mpgrade.result/1"})


def test_each_key_of_an_assignment_is_explained() -> None:
    """An editor has words to show for each key, and a pattern that it understands."""
    parts: dict[str, dict[str, Any]] = schemas.schema("assignment")["$defs"]  # type: ignore[assignment]  # - JSON
    keys = [(name, *each) for name, part in parts.items() for each in part["properties"].items()]
    assert len(keys) > 40
    assert [(name, key) for name, key, each in keys if not each.get("description")] == []
    assert re.findall(r"\\\\[AZz]|null", schemas.text("assignment")) == []


def lint(file: Path) -> subprocess.CompletedProcess[str]:
    """Run Taplo on an assignment, which is what editors complete and check TOML with."""
    beside = Path(sys.executable).with_name("taplo")
    taplo = shutil.which("taplo") or (str(beside) if beside.is_file() else None)
    if taplo is None:
        pytest.skip("taplo is not installed: there is none for this platform")
    return subprocess.run(
        [taplo, "lint", str(file)], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("name", SHIPPED)
def test_editors_find_the_schema(name: str, tmp_path: Path) -> None:
    """The first line of an assignment leads Taplo to the schema; then a misspelt key is named."""
    file = Path(assignments.find_assignment(name).folder, FILE)
    text = file.read_text("utf-8")
    directive, _, path = text.partition("\n")[0].partition(" ")
    assert (directive, (file.parent / path).resolve()) == (
        "#:schema",
        ROOT / "docs" / "schemas" / "assignment.json",
    )
    done = lint(file)
    assert done.returncode == 0, done.stderr
    wrong = tmp_path / FILE
    wrong.write_text(
        text.replace(path, str((file.parent / path).resolve())).replace("\ntitle", "\ntitel", 1),
        "utf-8",
    )
    done = lint(wrong)
    assert done.returncode == 1
    assert "'titel' was unexpected" in done.stderr


def test_result_with_an_unknown_key_is_seen(tmp_path: Path) -> None:
    """What holds all results of these tests against the schema tells a file that does not fit."""
    written = json.loads(
        result_json.dumps(outline.collect(assignments.find_assignment("mp_apply")))
    )
    path = tmp_path / "kept.json"
    path.write_text(json.dumps(written), "utf-8")
    assert list(faults(path, strict_validator())) == []
    path.write_text(json.dumps(written | {"scores": 1, "score": "1"}), "utf-8")
    assert len(list(faults(path, strict_validator()))) == 2
