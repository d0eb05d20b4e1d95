"""The table of points: for each criterion how its checks ended, and what was earned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from pytest_mpgrade.records import Outcome
from pytest_mpgrade.report.result_json import CheckPart, ResultFile
from pytest_mpgrade.report.terminal.page import STYLES
from pytest_mpgrade.system.text import one_line, points

_FEW = 3
"""So many criteria that were not reached have one row together."""
_HEADS = ("Checks", "Points")
_BETWEEN = 10
"""Characters of a line of the table of points that no column has."""


def points_table(result: ResultFile, width: int) -> Table:
    """Return the table for lines of *width* characters."""
    rows = list(_rubric_rows(result))
    total = _tally(result.checks), _earned(result.score, result.max_score)
    checks = max(len(_HEADS[0]), len(total[0]), *(len(row[1]) for row in rows))
    worth = max(len(_HEADS[1]), len(total[1]), *(len(row[2]) for row in rows))
    checks = min(checks, max(2 * width // 5, 14))
    # One line a criterion: its whole title is in the handout and in the result file.
    room = max(width - checks - worth - _BETWEEN, 8)
    table = Table(box=SIMPLE_HEAD, show_footer=True, pad_edge=True)
    table.add_column("Criterion", "Total", no_wrap=True, overflow="ellipsis", max_width=room)
    table.add_column(_HEADS[0], total[0], overflow="fold", width=checks)
    table.add_column(
        _HEADS[1], total[1], justify="right", no_wrap=True, min_width=worth, style="bold"
    )
    for row in rows:
        table.add_row(*row)
    return table


def mostly_missed(result: ResultFile) -> str:
    """Return the points in one line, where most criteria were not reached; else ""."""
    asked = [each for each in result.criteria if each.max_points]
    missed = [each for each in asked if _not_reached(result.of(each.name))]
    if len(missed) < _FEW or 2 * len(missed) < len(asked):
        return ""
    return (
        f"{_earned(result.score, result.max_score)} points; {len(missed)} of {len(asked)} criteria"
        " were not reached"
    )


def _rubric_rows(result: ResultFile) -> Iterable[tuple[str, Text, str]]:
    """Yield title, checks and points of each criterion; those that were not reached together."""
    missed = [
        each for each in result.criteria if each.max_points and _not_reached(result.of(each.name))
    ]
    apart = missed if len(missed) >= _FEW else []
    for each in result.criteria:
        asked = each.max_points or result.of(each.name)  # or its tests were not chosen
        if asked and each not in apart:
            earned = _earned(each.points, each.max_points)
            yield one_line(each.title), _tally(result.of(each.name)), earned
    if apart:
        checks = [check for each in apart for check in result.of(each.name)]
        earned = _earned(0, sum(each.max_points for each in apart))
        yield f"{len(apart)} criteria that were not reached", _tally(checks), earned
    if outside := result.of(""):
        yield "(no points)", _tally(outside), "-"


def _earned(earned: float, most: float) -> str:
    return f"{points(earned)} / {points(most)}" if most else "-"


def _not_reached(checks: Sequence[CheckPart]) -> bool:
    """Tell whether other failures have left all checks of a criterion undecided, or unmade."""
    return all(check.outcome is Outcome.SKIPPED for check in checks)


def _tally(checks: Sequence[CheckPart]) -> Text:
    """Return how many checks cost points; where there are none, how many passed, or were skipped.

    A check that was skipped costs points if another one left it undecided.
    """
    counts = Counter(check.outcome for check in checks)
    skipped = sum(bool(check.undecided_by) for check in checks)
    costly = Counter({**counts, Outcome.PASSED: 0, Outcome.SKIPPED: skipped})
    passed = Counter({Outcome.PASSED: counts[Outcome.PASSED]})
    shown = costly if any(costly.values()) else passed if any(passed.values()) else counts
    parts = [
        Text(f"{shown[each]} {each}", style=STYLES.get(each, "")) for each in Outcome if shown[each]
    ]
    return Text(", ").join(parts) if parts else Text("-")
