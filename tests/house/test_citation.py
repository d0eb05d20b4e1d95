"""CITATION.cff: who quotes the project finds what it is, as the format has it."""

from __future__ import annotations

import jsonschema
import yaml

import pytest_mpgrade
from support.export_formats import schema
from support.running import ROOT


def test_citation_is_valid() -> None:
    """It fits the schema of its format, and names the version that is here and its licence."""
    found = yaml.load((ROOT / "CITATION.cff").read_text("utf-8"), yaml.BaseLoader)
    jsonschema.validate(found, schema("cff-1.2.0.json"), jsonschema.Draft7Validator)
    assert (found["version"], found["license"]) == (pytest_mpgrade.__version__, "MIT")
