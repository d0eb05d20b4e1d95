"""JSON Schemas of `result.json` and `assignment.toml`."""

from __future__ import annotations

from typing import Any

import msgspec

from pytest_mpgrade.course.document import Document
from pytest_mpgrade.records import RESULT_SCHEMA
from pytest_mpgrade.report.result_json import ResultFile

KINDS: dict[str, tuple[type, str]] = {
    "result": (ResultFile, "The result of a grading (result.json)"),
    "assignment": (Document, "An assignment of pytest-mpgrade (assignment.toml)"),
}
"""The type that each schema describes, and the schema's title."""


def schema(kind: str) -> dict[str, object]:
    """Return the schema (JSON Schema 2020-12) of "result" or "assignment"."""
    of, title = KINDS[kind]
    document: dict[str, Any] = msgspec.json.schema(of)
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        **document,
    }
    if kind == "result":
        document["$defs"]["ResultFile"]["properties"]["schema"] = {"const": RESULT_SCHEMA}
    return document


def text(kind: str) -> str:
    """Return a schema as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(schema(kind)), indent=2).decode()
