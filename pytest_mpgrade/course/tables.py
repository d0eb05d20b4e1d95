"""The tables of numbers in `assignment.toml`, and limits that the command line overrides."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.records import (
    Assignment,
    EnvironmentRules,
    ExploreRules,
    LateRules,
    Limits,
    NotebookRules,
    SpeedRules,
)
from pytest_mpgrade.system.did_you_mean import nearest

# Upper bounds keep out `inf`: a limit that never comes is none.
_Seconds = Annotated[float, Meta(gt=0, le=1e6)]
_Bytes = Annotated[int, Meta(gt=0, le=10**12)]
_Count = Annotated[int, Meta(gt=0, le=100_000)]
_Ratio = Annotated[float, Meta(ge=1, le=1e3)]
_USUAL = Limits()
_RULES = SpeedRules()
_EXPLORED = ExploreRules()
_EXECUTED = NotebookRules()
_PROVIDED = EnvironmentRules()
_LATE = LateRules()
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "KB": 10**3, "MB": 10**6, "GB": 10**9}


class LimitsTable(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The table `[limits]`; what each key means: `records.Limits`."""

    seconds: _Seconds = _USUAL.seconds
    import_seconds: _Seconds = _USUAL.import_seconds
    patience: _Seconds = _USUAL.patience
    submission_seconds: _Seconds = _USUAL.submission_seconds
    processes: _Count = _USUAL.processes
    memory_bytes: _Bytes = _USUAL.memory_bytes
    cpu_seconds: _Seconds = _USUAL.cpu_seconds
    file_bytes: _Bytes = _USUAL.file_bytes
    disk_bytes: _Bytes = _USUAL.disk_bytes
    answer_bytes: _Bytes = _USUAL.answer_bytes
    output_bytes: _Bytes = _USUAL.output_bytes


class SpeedTable(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The table `[speedup]`; what each key means: `records.SpeedRules`."""

    free: _Ratio = _RULES.free
    lost: _Ratio = _RULES.lost
    starting_seconds: _Seconds = _RULES.starting_seconds
    seconds: _Seconds = _RULES.seconds
    pairs: Annotated[int, Meta(ge=4, le=1000)] = _RULES.pairs


class ExploreTable(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The table `[explore]`; what each key means: `records.ExploreRules`."""

    seconds: _Seconds = _EXPLORED.seconds
    depth: Annotated[int, Meta(ge=1, le=3)] = _EXPLORED.depth


class NotebookTable(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The table `[notebook]`; what each key means: `records.NotebookRules`."""

    cell_seconds: _Seconds = _EXECUTED.cell_seconds
    seconds: _Seconds = _EXECUTED.seconds
    output_bytes: _Bytes = _EXECUTED.output_bytes
    variables: tuple[Annotated[str, Meta(pattern=r"\A[^\W\d]\w*\Z")], ...] = _EXECUTED.variables
    files: str = _EXECUTED.files
    python: str = _EXECUTED.python


class EnvironmentTable(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The table `[environment]`; what each key means: `records.EnvironmentRules`."""

    packages: tuple[str, ...] = _PROVIDED.packages


class LateTable(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The table `[late]`; what each key means: `records.LateRules`."""

    due: Annotated[datetime, Meta(tz=True)] | None = _LATE.due
    penalty: str = _LATE.penalty
    drop: str = _LATE.drop


def with_limits(assignment: Assignment, given: Iterable[str]) -> Assignment:
    """Return an assignment with some limits replaced, each given as ``name=value``.

    For example: ``processes=64``, ``memory_bytes=1GB``. Raises UsageError for an unknown name or a
    value that makes no sense.
    """
    changed: dict[str, Any] = dict(map(_read, given))
    return dataclasses.replace(assignment, limits=dataclasses.replace(assignment.limits, **changed))


def _read(text: str) -> tuple[str, float | int]:
    name, _, value = text.partition("=")
    kinds = {field.name: type(getattr(_USUAL, field.name)) for field in dataclasses.fields(Limits)}
    if name not in kinds:
        raise UsageError(
            f"there is no limit {name!r}"
            + (nearest(name, kinds) or f" (there are: {', '.join(kinds)})")
        )
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMG]?B?)", value.strip().upper())
    factor = _UNITS.get(found[2], 0) if found and (name.endswith("_bytes") or not found[2]) else 0
    number = float(found[1]) * factor if found else 0.0
    if not 0 < number <= 10**12:
        raise UsageError(
            f"the limit {name} needs a value such as {name}={getattr(_USUAL, name)}, got {value!r}"
        )
    return name, kinds[name](number)
