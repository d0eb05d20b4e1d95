"""Read `overrides.csv`, the points that a person has set, and check it before the batch starts."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from pytest_mpgrade.errors import Mistakes
from pytest_mpgrade.records import Criterion
from pytest_mpgrade.report.adjustments import Override
from pytest_mpgrade.system.csv_rows import read_rows
from pytest_mpgrade.system.did_you_mean import nearest_or_all
from pytest_mpgrade.system.text import one_line, points

FILE = "overrides.csv"
COLUMNS = ("submission", "criterion", "points", "reason", "who")


def read_overrides(
    file: Path, submissions: Collection[str] | None, criteria: Sequence[Criterion]
) -> dict[str, list[Override]]:
    """Return the overrides of each submission; with None, any name is taken for a submission.

    Raises UsageError, with file and line, for each submission or criterion that does not exist,
    points that cannot be given, a missing reason or name, and a second row about the same
    criterion.
    """
    mistakes = Mistakes()
    overrides: dict[str, list[Override]] = defaultdict(list)
    lines: dict[tuple[str, str], int] = {}
    worth = {criterion.name: criterion.points for criterion in criteria}
    for row in read_rows(file, COLUMNS, mistakes):
        cells = {name: row.named.get(name, "") for name in COLUMNS}
        faults = list(_faults(cells, submissions, worth))
        about = cells["submission"], cells["criterion"]
        if all(about) and (earlier := lines.setdefault(about, row.line)) != row.line:
            faults.append(f"{about[0]!r}, {about[1]!r} is in line {earlier} already")
        for fault in faults:
            mistakes.add(f"{file}:{row.line}: {one_line(fault)}")
        if not faults:
            overrides[about[0]].append(_override(cells))
    mistakes.tell()
    return dict(overrides)


def _faults(
    cells: Mapping[str, str], submissions: Collection[str] | None, worth: Mapping[str, float]
) -> Iterator[str]:
    for name, cell in cells.items():
        if not cell:
            yield f"the column {name!r} is empty"
    if submissions is not None:
        yield from _unknown("submission", cells["submission"], submissions)
    yield from _unknown("criterion", cells["criterion"], worth)
    if cells["points"]:
        yield from _wrong_points(cells["points"], cells["criterion"], worth)


def _unknown(what: str, name: str, known: Collection[str]) -> Iterator[str]:
    if name and name not in known:
        yield f"there is no {what} {name!r} ({nearest_or_all(name, sorted(known))})"


def _wrong_points(text: str, criterion: str, worth: Mapping[str, float]) -> Iterator[str]:
    try:
        given = float(text)
    except ValueError:
        given = math.nan
    most = worth.get(criterion, math.inf)
    if not 0 <= given <= most or math.isinf(given):
        asked = f"points from 0 to {points(most)} for {criterion!r}"
        yield f"expected {asked if criterion in worth else 'a number of points'}, got {text!r}"


def _override(cells: Mapping[str, str]) -> Override:
    return Override(
        submission=cells["submission"],
        criterion=cells["criterion"],
        points=float(cells["points"]),
        reason=cells["reason"],
        who=cells["who"],
    )
