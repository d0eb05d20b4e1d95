"""JSON Schemas of result.json and assignment.toml: they take what we write, and refuse what we
would refuse.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pytest_mpgrade import cli
from pytest_mpgrade.course import assignment as assignments
from pytest_mpgrade.course.document import FILE
from pytest_mpgrade.grade import outline
from pytest_mpgrade.report import result_json

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
