"""The table of points: for each criterion how its tests ended, and what was earned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from pytest_mpgrade.records import CriterionScore, Outcome, Status
from pytest_mpgrade.report.grade_words import grade_words
from pytest_mpgrade.report.result_json import CheckPart, ResultFile
from pytest_mpgrade.report.terminal.page import STYLES
from pytest_mpgrade.system.text import one_line, points

_FEW = 3
"""So many criteria that were not reached, or are earned in full, have one row together."""
_HEADS = ("Tests", "Points")
_BETWEEN = 10
"""Characters of a line of the table of points that no column has."""
_Ending = tuple[Outcome, bool]
"""How a test ended, and for one that was skipped whether that costs points."""


def points_table(result: ResultFile, width: int) -> Table:
    """Return the table for lines of *width* characters."""
    rows = list(_rubric_rows(result))
    total = _tally(_endings(result)), grade_words(result, " / ")
    ended = max(len(_HEADS[0]), len(total[0]), *(len(row[1]) for row in rows))
    worth = max(len(_HEADS[1]), len(total[1]), *(len(row[2]) for row in rows))
    ended = min(ended, max(3 * width // 10, 14))
    room = max(width - ended - worth - _BETWEEN, 8)
    table = Table(box=SIMPLE_HEAD, show_footer=True, pad_edge=True)
    table.add_column("Criterion", "Total", overflow="fold", max_width=room)
    table.add_column(_HEADS[0], total[0], overflow="fold", width=ended)
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
        f"{grade_words(result, ' / ')}{' points' * (result.status is Status.GRADED)};"
        f" {len(missed)} of {len(asked)} criteria were not reached"
    )


def _rubric_rows(result: ResultFile) -> Iterable[tuple[str, Text, str]]:
    """Yield title, tests and points of each criterion, of those of one kind together."""
    missed = [
        each for each in result.criteria if each.max_points and _not_reached(result.of(each.name))
    ]
    full = [each for each in result.criteria if each.max_points and _in_full(each)]
    apart = missed if len(missed) >= _FEW else []
    together = full if len(full) >= _FEW and len(full) < len(result.criteria) - 1 else []
    for each in result.criteria:
        asked = each.max_points or result.of(each.name)  # or its tests were not chosen
        if asked and each not in (*apart, *together):
            earned = _earned(each.points, each.max_points)
            yield one_line(each.title), _tally(_endings(result, each.name)), earned
    if together:
        ended = [ending for each in together for ending in _endings(result, each.name)]
        worth = sum(each.max_points for each in together)
        names = ", ".join(one_line(each.name) for each in together)
        yield f"in full: {names}", _tally(ended), _earned(worth, worth)
    if apart:
        ended = [ending for each in apart for ending in _endings(result, each.name)]
        earned = _earned(0, sum(each.max_points for each in apart))
        yield f"{len(apart)} criteria that were not reached", _tally(ended), earned
    if result.of(""):
        yield "(no points)", _tally(_endings(result, "")), "-"


def _in_full(criterion: CriterionScore) -> bool:
    return criterion.points == criterion.max_points


def _earned(earned: float, most: float) -> str:
    return f"{points(earned)} / {points(most)}" if most else "-"


def _not_reached(checks: Sequence[CheckPart]) -> bool:
    """Tell whether other failures have left all checks of a criterion undecided, or unmade."""
    return all(check.outcome is Outcome.SKIPPED for check in checks)


def _endings(result: ResultFile, criterion: str | None = None) -> list[_Ending]:
    """Return how the tests of a criterion ended, as pytest counts them; None: those of all."""
    if criterion is None:
        names = [*(each.name for each in result.criteria), ""]
        return [ending for name in names for ending in _endings(result, name)]
    units = [each.unit for each in result.units() if each.criterion == criterion]
    if units:
        return [(each.outcome, not each.undecided) for each in units]
    # outside of the rubric, and where questions are hidden
    return [(check.outcome, bool(check.undecided_by)) for check in result.of(criterion)]


def _tally(endings: Sequence[_Ending]) -> Text:
    """Return how many tests cost points; where there are none, how many passed, or were skipped.

    A test that was skipped costs points if the failure of another one left it undecided.
    """
    counts = Counter(outcome for outcome, _ in endings)
    skipped = sum(costs and outcome is Outcome.SKIPPED for outcome, costs in endings)
    costly = Counter({**counts, Outcome.PASSED: 0, Outcome.SKIPPED: skipped})
    passed = Counter({Outcome.PASSED: counts[Outcome.PASSED]})
    shown = costly if any(costly.values()) else passed if any(passed.values()) else counts
    parts = [
        Text(f"{shown[each]} {each}", style=STYLES.get(each, "")) for each in Outcome if shown[each]
    ]
    return Text(", ").join(parts) if parts else Text("-")
