"""Hold every result file that the tests have had written against the schema that is published.

A plugin: when a session, or a process of pytest-xdist, is over, it looks through its temporary
folders.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pytest_mpgrade.cli import schemas
from pytest_mpgrade.records import RESULT_FILE, RESULT_SCHEMA


def strict_validator() -> jsonschema.Draft202012Validator:
    """Return a validator of result files that takes no key which the schema does not name."""
    schema: dict[str, Any] = schemas.schema("result")
    for part in schema["$defs"].values():
        if "properties" in part:
            part["additionalProperties"] = False
    return jsonschema.Draft202012Validator(schema)


def faults(path: Path, validator: jsonschema.Draft202012Validator) -> Iterator[str]:
    """Yield what is wrong with a file, unless a test has put text that is no result into it."""
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, OSError):
        return
    if isinstance(found, dict) and found.get("schema") == RESULT_SCHEMA:
        for each in validator.iter_errors(found):
            yield f"{path}: {each.json_path}: {each.message[:200]}"


@pytest.fixture(scope="session", autouse=True)
def results_are_valid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """At the end, fail where a result file is not as the published schema has it."""
    yield
    validator = strict_validator()
    files = sorted(tmp_path_factory.getbasetemp().rglob(RESULT_FILE))
    wrong = [fault for path in files for fault in faults(path, validator)]
    if wrong:
        pytest.fail("result files against the schema:\n  " + "\n  ".join(wrong), pytrace=False)
