"""JSON Schemas of `result.json` and `assignment.toml`.

`docs/schemas/` has what is printed, for editors and other programs; `make schemas` writes it.
"""

from __future__ import annotations

from collections.abc import Iterator
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
    else:
        _without_null(document)
    for each in _parts(document):
        if "pattern" in each:
            each["pattern"] = _ecmascript(each["pattern"])
    return document


def _parts(part: object) -> Iterator[dict[str, Any]]:
    """Yield all objects in a schema."""
    if isinstance(part, dict):
        yield part
    if isinstance(part, (dict, list)):
        for each in part.values() if isinstance(part, dict) else part:
            yield from _parts(each)


def _without_null(document: dict[str, Any]) -> None:
    """Take out what an optional key is without a value: TOML has no null."""
    for each in list(_parts(document)):
        kinds = each.get("anyOf", [])
        if {"type": "null"} in kinds:
            (kind,) = (one for one in each.pop("anyOf") if one != {"type": "null"})
            each.update(kind)
            del each["default"]


def _ecmascript(pattern: str) -> str:
    r"""Return a pattern of Python's in the language that JSON Schema asks for.

    There `^` and `$` are the ends of the text, and `\A` and `\Z` are letters.
    """
    return pattern.replace(r"\A", "^").replace(r"\Z", "$")


def text(kind: str) -> str:
    """Return a schema as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(schema(kind)), indent=2).decode()
