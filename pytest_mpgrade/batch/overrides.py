"""Read `overrides.csv`, the points that a person has set, and check it before the batch starts."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.records import Criterion
from pytest_mpgrade.report.adjustments import Override
from pytest_mpgrade.system.csv_rows import read_rows
from pytest_mpgrade.system.did_you_mean import likely
from pytest_mpgrade.system.text import one_line, points

FILE = "overrides.csv"
COLUMNS = ("submission", "criterion", "points", "reason", "who")


def read_overrides(
    file: Path, submissions: Collection[str], criteria: Sequence[Criterion]
) -> dict[str, list[Override]]:
    """Return the overrides of each submission.

    Raises UsageError, with file and line, for a submission or criterion that does not exist, points
    that cannot be given, a missing reason or name, and a second row about the same criterion.
    """
    overrides: dict[str, list[Override]] = defaultdict(list)
    lines: dict[tuple[str, str], int] = {}
    for row in read_rows(file, COLUMNS):
        try:
            override = _override(row.named, submissions, criteria)
            earlier = lines.setdefault((override.submission, override.criterion), row.line)
            if earlier != row.line:
                raise ValueError(
                    f"{override.submission!r}, {override.criterion!r} is in line {earlier} already"
                )
        except ValueError as error:
            raise UsageError(f"{file}:{row.line}: {one_line(str(error))}") from error
        overrides[override.submission].append(override)
    return dict(overrides)


def _override(
    row: Mapping[str, str], submissions: Collection[str], criteria: Sequence[Criterion]
) -> Override:
    cells = {name: row.get(name, "") for name in COLUMNS}
    for name, cell in cells.items():
        if not cell:
            raise ValueError(f"the column {name!r} is empty")
    _hold("submission", cells["submission"], submissions)
    worth = {criterion.name: criterion.points for criterion in criteria}
    _hold("criterion", cells["criterion"], worth)
    try:
        given = float(cells["points"])
    except ValueError:
        given = math.nan
    most = worth[cells["criterion"]]
    if not 0 <= given <= most:
        told = f"expected points from 0 to {points(most)} for {cells['criterion']!r}"
        raise ValueError(f"{told}, got {cells['points']!r}")
    return Override(
        submission=cells["submission"],
        criterion=cells["criterion"],
        points=given,
        reason=cells["reason"],
        who=cells["who"],
    )


def _hold(what: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        near = likely(name, known)
        told = f"did you mean {near!r}?" if near else f"there are: {', '.join(sorted(known)[:20])}"
        raise ValueError(f"there is no {what} {name!r} ({told})")
