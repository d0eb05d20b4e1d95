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


def meaning(text: str) -> Meta:
    """Return what a key means, for the JSON Schema, which editors show while somebody types."""
    return Meta(description=text)


class LimitsTable(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The table `[limits]`; what each key means: `records.Limits`."""

    seconds: Annotated[
        _Seconds, meaning("Seconds that one call may take; a hang is proven long before.")
    ] = _USUAL.seconds
    import_seconds: Annotated[
        _Seconds, meaning("Seconds that the import of the submission may take.")
    ] = _USUAL.import_seconds
    patience: Annotated[
        _Seconds, meaning("Seconds of waiting for processes that only sleep and look again.")
    ] = _USUAL.patience
    submission_seconds: Annotated[
        _Seconds, meaning("Seconds that the whole grading of one submission may take.")
    ] = _USUAL.submission_seconds
    processes: Annotated[_Count, meaning("Processes that may live at the same time.")] = (
        _USUAL.processes
    )
    memory_bytes: Annotated[
        _Bytes, meaning("Memory of all processes of a run together, in bytes.")
    ] = _USUAL.memory_bytes
    cpu_seconds: Annotated[
        _Seconds, meaning("CPU time of all processes of a run together, in seconds.")
    ] = _USUAL.cpu_seconds
    file_bytes: Annotated[_Bytes, meaning("Size of a single file that a run writes, in bytes.")] = (
        _USUAL.file_bytes
    )
    disk_bytes: Annotated[
        _Bytes, meaning("Bytes that a run may write to its scratch folder, and to shared memory.")
    ] = _USUAL.disk_bytes
    answer_bytes: Annotated[
        _Bytes, meaning("Size of what a run may answer to the grader, in bytes.")
    ] = _USUAL.answer_bytes
    output_bytes: Annotated[
        _Bytes, meaning("Bytes of printed text that are kept; more is no fault.")
    ] = _USUAL.output_bytes


class SpeedTable(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The table `[speedup]`; what each key means: `records.SpeedRules`."""

    free: Annotated[
        _Ratio, meaning("Up to so many times the reference's cost for each task nothing is lost.")
    ] = _RULES.free
    lost: Annotated[
        _Ratio, meaning("From so many times its cost on all points are lost; linear in between.")
    ] = _RULES.lost
    starting_seconds: Annotated[
        _Seconds, meaning("Seconds that starting may take beyond the reference's.")
    ] = _RULES.starting_seconds
    seconds: Annotated[
        _Seconds, meaning("Seconds of timing pairs; up to three times as long on a busy machine.")
    ] = _RULES.seconds
    pairs: Annotated[
        int, Meta(ge=4, le=1000), meaning("How many pairs of timings are made at most.")
    ] = _RULES.pairs


class ExploreTable(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The table `[explore]`; what each key means: `records.ExploreRules`."""

    seconds: Annotated[
        _Seconds,
        meaning(
            "About how many seconds all explorations of a grading take: 16 schedules for each, on a"
            " slow machine too."
        ),
    ] = _EXPLORED.seconds
    depth: Annotated[int, Meta(ge=1, le=3), meaning("How many holds one schedule has at most.")] = (
        _EXPLORED.depth
    )


class NotebookTable(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The table `[notebook]`; what each key means: `records.NotebookRules`."""

    cell_seconds: Annotated[_Seconds, meaning("Seconds that one cell may take.")] = (
        _EXECUTED.cell_seconds
    )
    seconds: Annotated[_Seconds, meaning("Seconds that all cells together may take.")] = (
        _EXECUTED.seconds
    )
    output_bytes: Annotated[
        _Bytes, meaning("Bytes that are kept of what cells put out; more is no fault.")
    ] = _EXECUTED.output_bytes
    variables: Annotated[
        tuple[Annotated[str, Meta(pattern=r"\A[^\W\d]\w*\Z")], ...],
        meaning("Variables of the notebook that tests ask for."),
    ] = _EXECUTED.variables
    files: Annotated[
        str, meaning("Folder with data, which the notebook finds in its current folder.")
    ] = _EXECUTED.files
    python: Annotated[str, meaning("The kernel's interpreter; empty for the grader's own.")] = (
        _EXECUTED.python
    )


class EnvironmentTable(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The table `[environment]`; what each key means: `records.EnvironmentRules`."""

    packages: Annotated[
        tuple[str, ...],
        meaning("What submissions may import besides the standard library, as pip names it."),
    ] = _PROVIDED.packages


class LateTable(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The table `[late]`; what each key means: `records.LateRules`."""

    due: Annotated[
        Annotated[datetime, Meta(tz=True)] | None,
        meaning("When it is due, with the offset from UTC, as in 2026-03-02T23:59:00+01:00."),
    ] = _LATE.due
    penalty: Annotated[
        str, meaning('The points that are taken off, as in "0.1 * points * ceil(days)".')
    ] = _LATE.penalty
    drop: Annotated[str, meaning('Where this is true no points are left, as in "days > 7".')] = (
        _LATE.drop
    )


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
